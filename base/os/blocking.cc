#include "base/os/blocking.h"

namespace borealis {

namespace {
thread_local BlockingObserver* thread_observer = nullptr;
thread_local int depth = 0;
}  // namespace

void SetBlockingObserver(BlockingObserver* observer) {
  thread_observer = observer;
  depth = 0;
}

BlockingScope::BlockingScope() {
  if (thread_observer != nullptr && depth++ == 0) {
    thread_observer->EnterBlocking();
  }
}

BlockingScope::~BlockingScope() {
  if (thread_observer != nullptr && --depth == 0) {
    thread_observer->LeaveBlocking();
  }
}

}  // namespace borealis
