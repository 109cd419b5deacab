#include "base/os/thread.h"

#include <pthread.h>

#include "base/invariant.h"

namespace borealis {

namespace {
constexpr size_t kNameSizeMax = 15;
}  // namespace

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
