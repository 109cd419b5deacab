// The gate for large statements: what fits goes in, the rest waits its turn.
#include "server/session/statement_gate.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "base/os/thread.h"

namespace borealis::server {
namespace {

constexpr size_t kLarge = StatementGate::kLargeBytes;

bool Never() {
  return false;
}

void AwaitWaiting(const StatementGate& gate, size_t count) {
  while (gate.waiting() != count) {
    std::this_thread::yield();
  }
}

TEST(StatementGateTest, SmallTextsAlwaysPass) {
  StatementGate gate(kLarge);
  const auto all = gate.Enter(kLarge, Never);
  const auto small = gate.Enter(kLarge - 1, Never);  // would hang otherwise
  EXPECT_EQ(gate.waiting(), 0U);
}

TEST(StatementGateTest, AtMostTheLimitIsInsideAndEachComesIn) {
  StatementGate gate(2 * kLarge);
  std::atomic<int> inside{0};
  std::atomic<int> done{0};
  {
    std::vector<Thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back("statement", [&, i] {
        for (int round = 0; round < 50; ++round) {
          // Every fourth is larger than the limit and goes alone.
          const size_t bytes = i % 4 == 0 ? 5 * kLarge : kLarge;
          const int weight = i % 4 == 0 ? 2 : 1;
          const auto place = gate.Enter(bytes, Never);
          EXPECT_LE(inside.fetch_add(weight) + weight, 2);
          std::this_thread::yield();
          inside.fetch_sub(weight);
          ++done;
        }
      });
    }
  }
  EXPECT_EQ(done.load(), 400);
}

TEST(StatementGateTest, FirstComeFirstServed) {
  StatementGate gate(2 * kLarge);
  auto first = std::make_unique<StatementGate::Ticket>(gate.Enter(kLarge, Never));
  std::atomic<int> order{0};
  std::atomic<int> large_at{0};
  std::atomic<int> later_at{0};
  Thread large("large", [&] {
    const auto place = gate.Enter(2 * kLarge, Never);
    large_at = ++order;
  });
  AwaitWaiting(gate, 1);
  // There would be room for it, but it came later.
  Thread later("later", [&] {
    const auto place = gate.Enter(kLarge, Never);
    later_at = ++order;
  });
  AwaitWaiting(gate, 2);
  first.reset();
  large.Join();
  later.Join();
  EXPECT_EQ(large_at.load(), 1);
  EXPECT_EQ(later_at.load(), 2);
}

TEST(StatementGateTest, AKilledStatementStopsWaiting) {
  StatementGate gate(kLarge);
  const auto all = gate.Enter(kLarge, Never);
  const auto none = gate.Enter(kLarge, [] { return true; });
  EXPECT_EQ(gate.waiting(), 0U);
}

}  // namespace
}  // namespace borealis::server
