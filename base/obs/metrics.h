// Numbers for Prometheus: a page in its text format 0.0.4, and histograms of durations.
//
// Each process fills a page when it is asked for one (base/obs/metrics_server.h); what it counts it
// counts anyway, in its own places. Names begin with "borealis_" and carry their unit; counters end
// in "_total". docs/operating.md lists them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace borealis {

// Durations in buckets that double from 50 µs to 13 s. Observe is thread-safe and costs two relaxed
// additions.
class DurationHistogram {
 public:
  static constexpr size_t kBucketCount = 19;  // the last has no upper bound
  static constexpr int64_t kFirstBoundUs = 50;

  void Observe(int64_t duration_us);

  struct Snapshot {
    std::array<uint64_t, kBucketCount> counts{};  // of each bucket alone
    uint64_t sum_us = 0;
  };
  Snapshot Take() const;

 private:
  std::array<std::atomic<uint64_t>, kBucketCount> counts_{};
  std::atomic<uint64_t> sum_us_{0};
};

// Label names and values; values may be any text.
using MetricLabels = std::vector<std::pair<std::string_view, std::string>>;

// One answer. Samples of one name are kept together, in whatever order they are added; `help` of
// the first counts. Not thread-safe.
class MetricsPage {
 public:
  void Counter(std::string_view name, std::string_view help, uint64_t value,
               const MetricLabels& labels = {});
  // For counters that are no whole numbers: seconds.
  void Seconds(std::string_view name, std::string_view help, int64_t total_us,
               const MetricLabels& labels = {});
  void Gauge(std::string_view name, std::string_view help, double value,
             const MetricLabels& labels = {});
  void Histogram(std::string_view name, std::string_view help,
                 const DurationHistogram::Snapshot& histogram, const MetricLabels& labels = {});

  std::string Text() const;

 private:
  struct Family {
    std::string name;
    std::string header;
    std::string samples;
  };
  std::string& SamplesOf(std::string_view name, std::string_view help, std::string_view type);

  std::vector<Family> families_;
};

// What every process tells of itself: age, memory, processor time, open files, log errors.
void AddProcessMetrics(MetricsPage* page);

}  // namespace borealis
