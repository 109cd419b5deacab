// Threads, by name: `top -H`, debuggers and crash reports then say what each is for.
//
// Only base/os makes threads; a simulated run makes none.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace borealis {

// Processors this process may run on; at least 1.
int HardwareThreads();

class Thread {
 public:
  Thread() = default;
  // Runs `body` on a new thread. Names longer than 15 characters are cut by the system.
  Thread(const std::string& name, std::function<void()> body);
  // Joins.
  ~Thread() { Join(); }
  Thread(Thread&& other) noexcept = default;
  Thread& operator=(Thread&& other) noexcept;

  bool joinable() const { return thread_.joinable(); }
  // Waits for the body to return; harmless when it was joined before. Not from the thread itself.
  void Join();

 private:
  std::thread thread_;
};

}  // namespace borealis
