// What the volume client has done since it started: counters for status screens and tests.
//
// One thread counts most of them, any thread may read; relaxed atomics are enough, as no counter
// orders anything.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace borealis::storage_client {

// NAME(meaning), expanded for the live counters and for their snapshot.
#define BOREALIS_CLIENT_COUNTERS(X)                                     \
  X(mini_transactions) /* appended */                                   \
  X(records)           /* in them */                                    \
  X(log_bytes)         /* in them */                                    \
  X(batches_sent)      /* append requests with records, all nodes */    \
  X(batch_bytes_sent)  /* log bytes in them */                          \
  X(surveys_sent)      /* append requests without records */            \
  X(acknowledgements)  /* append replies that were OK */                \
  X(retransmissions)   /* times a node's queue was sent again */        \
  X(chunks_given_up)   /* dropped before a node had them: gossip */     \
  X(vdl_advances)                                                       \
  X(page_reads)         /* requests by callers, in pages */             \
  X(read_requests_sent) /* to nodes */                                  \
  X(read_hedges)        /* second requests because the first is slow */ \
  X(read_retries)       /* after a refusal, damage or time-out */       \
  X(read_damaged)       /* page images that failed verification */      \
  X(room_waits)         /* mini-transactions held at the LSN limit */   \
  X(room_wait_us)

struct ClientMetricsSnapshot {
#define X(name) uint64_t name = 0;
  BOREALIS_CLIENT_COUNTERS(X)
#undef X
};

struct ClientMetrics {
#define X(name) std::atomic<uint64_t> name{0};
  BOREALIS_CLIENT_COUNTERS(X)
#undef X

  static void Add(std::atomic<uint64_t>& counter, uint64_t by = 1) {
    counter.fetch_add(by, std::memory_order_relaxed);
  }
  ClientMetricsSnapshot Snapshot() const {
    ClientMetricsSnapshot snapshot;
#define X(name) snapshot.name = name.load(std::memory_order_relaxed);
    BOREALIS_CLIENT_COUNTERS(X)
#undef X
    return snapshot;
  }
};

// Calls visit(name, value) for each counter, in a fixed order.
template <class Visit>
void ForEachCounter(const ClientMetricsSnapshot& snapshot, Visit visit) {
#define X(name) visit(std::string_view(#name), snapshot.name);
  BOREALIS_CLIENT_COUNTERS(X)
#undef X
}

}  // namespace borealis::storage_client
