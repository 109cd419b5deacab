#include "base/os/memory.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/os/time.h"

namespace borealis {

namespace {
constexpr int64_t kReturnEveryUs = 200'000;
}  // namespace

void LimitAllocatorArenas() {
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  // Called once, before there are threads.
  ::mallopt(M_ARENA_MAX, std::min(2 * cores, 16));  // NOLINT(concurrency-mt-unsafe)
}

void ReturnFreeMemory() {
  static std::atomic<int64_t> last_us{0};
  const int64_t now_us = SystemClock().NowUs();
  int64_t last = last_us.load();
  if (now_us - last >= kReturnEveryUs && last_us.compare_exchange_strong(last, now_us)) {
    ::malloc_trim(0);
  }
}

}  // namespace borealis
