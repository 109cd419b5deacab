// How many bytes a node takes from its peers to repair itself: a bucket that fills with time.
//
// What is asked for is spent at once, at its largest; what did not come is given back. One thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace borealis::storage_node {

class RepairBudget {
 public:
  explicit RepairBudget(uint64_t bytes_per_second)
      : per_second_(static_cast<double>(bytes_per_second)) {}

  // Whether more may be asked for now.
  bool Allows(int64_t now_us) {
    if (last_us_ != 0) {
      bytes_ += per_second_ * static_cast<double>(now_us - last_us_) / 1e6;
    }
    bytes_ = std::min(bytes_, per_second_ * kBurstSeconds);
    last_us_ = now_us;
    return bytes_ > 0;
  }
  void Spend(uint64_t bytes) { bytes_ -= static_cast<double>(bytes); }
  void GiveBack(uint64_t bytes) { bytes_ += static_cast<double>(bytes); }

 private:
  static constexpr double kBurstSeconds = 0.1;

  const double per_second_;
  double bytes_ = 1;  // the first is free
  int64_t last_us_ = 0;
};

}  // namespace borealis::storage_node
