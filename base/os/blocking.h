// How code says that its thread is about to wait, without knowing whose thread it is.
//
//   { BlockingScope waiting; segment.WaitForPage(…); }
//
// The server's worker pool observes its own threads: while one waits, another may run in its place.
// On any other thread a scope does nothing. Scopes nest; the outermost counts. Enter one before
// anything that waits for the network, a disk or another transaction, not for short latches.
// Latches may be held; the observer takes only its own mutex, of rank kLeaf.
#pragma once

namespace borealis {

class BlockingObserver {
 public:
  virtual ~BlockingObserver() = default;
  virtual void EnterBlocking() = 0;
  virtual void LeaveBlocking() = 0;
};

// For the calling thread; null to stop observing. The observer outlives the observation.
void SetBlockingObserver(BlockingObserver* observer);

class BlockingScope {
 public:
  BlockingScope();
  ~BlockingScope();
  BlockingScope(const BlockingScope&) = delete;
  BlockingScope& operator=(const BlockingScope&) = delete;
};

}  // namespace borealis
