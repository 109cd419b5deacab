#include "base/os/thread.h"

#include <pthread.h>
#include <sched.h>

#include "base/invariant.h"

namespace borealis {

namespace {
constexpr size_t kNameSizeMax = 15;
}  // namespace

int HardwareThreads() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
    return CPU_COUNT(&allowed);
  }
  return 1;  // more processors than cpu_set_t counts would need a larger set; one is always right
}

Thread::Thread(const std::string& name, std::function<void()> body)
    : thread_([cut = name.substr(0, kNameSizeMax), run = std::move(body)] {
        pthread_setname_np(pthread_self(), cut.c_str());
        run();
      }) {}

Thread& Thread::operator=(Thread&& other) noexcept {
  Join();
  thread_ = std::move(other.thread_);
  return *this;
}

void Thread::Join() {
  if (thread_.joinable()) {
    INVARIANT(thread_.get_id() != std::this_thread::get_id());
    thread_.join();
  }
}

}  // namespace borealis
