#include "base/obs/metrics.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/invariant.h"
#include "base/obs/log.h"
#include "base/os/process.h"

namespace borealis {

namespace {

int64_t BoundUs(size_t bucket) {
  return DurationHistogram::kFirstBoundUs << bucket;
}

std::string Escaped(std::string_view text, bool quotes) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || (quotes && c == '"')) {
      escaped += '\\';
      escaped += c;
    } else if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// {a="b",c="d"}, or nothing without labels.
std::string LabelText(const MetricLabels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "{" : ",", name, Escaped(value, true));
  }
  return text.empty() ? text : text + "}";
}

double ToSeconds(uint64_t us) {
  return static_cast<double>(us) / 1e6;
}

}  // namespace

void DurationHistogram::Observe(int64_t duration_us) {
  size_t bucket = 0;
  while (bucket + 1 < kBucketCount && duration_us > BoundUs(bucket)) {
    ++bucket;
  }
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(static_cast<uint64_t>(std::max<int64_t>(duration_us, 0)),
                    std::memory_order_relaxed);
}

DurationHistogram::Snapshot DurationHistogram::Take() const {
  Snapshot snapshot;
  for (size_t i = 0; i < kBucketCount; ++i) {
    snapshot.counts[i] = counts_[i].load(std::memory_order_relaxed);
  }
  snapshot.sum_us = sum_us_.load(std::memory_order_relaxed);
  return snapshot;
}

std::string& MetricsPage::SamplesOf(std::string_view name, std::string_view help,
                                    std::string_view type) {
  for (Family& family : families_) {
    if (family.name == name) {
      return family.samples;
    }
  }
  families_.push_back(
      {std::string(name),
       fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, Escaped(help, false), name, type), ""});
  return families_.back().samples;
}

void MetricsPage::Counter(std::string_view name, std::string_view help, uint64_t value,
                          const MetricLabels& labels) {
  DCHECK(name.ends_with("_total"));
  SamplesOf(name, help, "counter") += fmt::format("{}{} {}\n", name, LabelText(labels), value);
}

void MetricsPage::Seconds(std::string_view name, std::string_view help, int64_t total_us,
                          const MetricLabels& labels) {
  DCHECK(name.ends_with("_seconds_total"));
  SamplesOf(name, help, "counter") +=
      fmt::format("{}{} {:.6f}\n", name, LabelText(labels), static_cast<double>(total_us) / 1e6);
}

void MetricsPage::Gauge(std::string_view name, std::string_view help, double value,
                        const MetricLabels& labels) {
  DCHECK(!name.ends_with("_total"));
  SamplesOf(name, help, "gauge") += fmt::format("{}{} {}\n", name, LabelText(labels), value);
}

void MetricsPage::Histogram(std::string_view name, std::string_view help,
                            const DurationHistogram::Snapshot& histogram,
                            const MetricLabels& labels) {
  DCHECK(name.ends_with("_seconds"));
  std::string& samples = SamplesOf(name, help, "histogram");
  MetricLabels with_bound = labels;
  with_bound.emplace_back("le", "");
  uint64_t count = 0;
  for (size_t i = 0; i < DurationHistogram::kBucketCount; ++i) {
    count += histogram.counts[i];
    with_bound.back().second =
        i + 1 == DurationHistogram::kBucketCount
            ? "+Inf"
            : fmt::format("{}", ToSeconds(static_cast<uint64_t>(BoundUs(i))));
    samples += fmt::format("{}_bucket{} {}\n", name, LabelText(with_bound), count);
  }
  samples += fmt::format("{}_sum{} {:.6f}\n", name, LabelText(labels), ToSeconds(histogram.sum_us));
  samples += fmt::format("{}_count{} {}\n", name, LabelText(labels), count);
}

std::string MetricsPage::Text() const {
  std::string text;
  for (const Family& family : families_) {
    text += family.header + family.samples;
  }
  return text;
}

void AddProcessMetrics(MetricsPage* page) {
  const ProcessUsage usage = UsageOfThisProcess();
  page->Gauge("borealis_process_start_time_seconds", "When the process started, in Unix time.",
              usage.start_unix_seconds);
  page->Gauge("borealis_process_resident_memory_bytes", "Memory in use.",
              static_cast<double>(usage.resident_bytes));
  page->Seconds("borealis_process_cpu_seconds_total", "Processor time, user and system.",
                usage.cpu_us);
  page->Gauge("borealis_process_open_fds", "Open file descriptors.",
              static_cast<double>(usage.open_fds));
  page->Counter("borealis_log_errors_total", "Lines logged at level error.", LogErrorCount());
}

}  // namespace borealis
