// Answers `GET /metrics` over HTTP/1.1 on a port of its own, for Prometheus.
//
// One thread, apart from the process' work: a slow or hostile client costs nobody else anything. A
// request may have 4 KiB and must come within 5 seconds; each connection gets one answer; 16 may be
// open. Anything but GET or HEAD of /metrics is refused with its HTTP status.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/obs/metrics.h"
#include "base/result.h"

namespace borealis {

class MetricsServer {
 public:
  // `fill` is called on the server's thread, once for each answer, and may wait for other threads.
  // What it uses must outlive the server. Port 0 picks a free one.
  static Result<std::unique_ptr<MetricsServer>> Start(const std::string& host, uint16_t port,
                                                      std::function<void(MetricsPage*)> fill);
  // Stops: an answer being made is finished first.
  virtual ~MetricsServer() = default;
  virtual uint16_t port() const = 0;
};

// The answer to what a client sent so far; empty when more must come. Any bytes may be given.
// `fill` is called only for a well-formed request for /metrics.
std::string AnswerHttp(std::string_view received, const std::function<void(MetricsPage*)>& fill);

}  // namespace borealis
