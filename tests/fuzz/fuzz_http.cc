// Requests to the metrics port: whatever comes, the answer is a whole one of the few there are, and
// only a well-formed GET or HEAD of /metrics makes the process collect its numbers.
#include "base/obs/metrics_server.h"
#include "tests/fuzz/fuzz.h"

namespace borealis::fuzz {

namespace {

constexpr size_t kRequestBytesMax = 4096;

class HttpTarget final : public Target {
 public:
  std::vector<std::string> Seeds() override {
    return {"GET /metrics HTTP/1.1\r\nHost: localhost:9090\r\nAccept: */*\r\n\r\n",
            "HEAD /metrics?name=x HTTP/1.0\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
            "GET /metrics HTTP/1.1\r\nX: " + std::string(kRequestBytesMax, 'x') + "\r\n\r\n"};
  }

  std::vector<std::string> Dictionary() override {
    return {"\r\n", "\r\n\r\n", " ", "GET", "HEAD", "/metrics", "HTTP/1.1", "?", "/"};
  }

  void Run(std::string_view input) override {
    bool filled = false;
    const std::string answer = AnswerHttp(input, [&filled](MetricsPage* page) {
      filled = true;
      page->Gauge("borealis_a", "A.", 1);
    });
    const bool whole = input.find("\r\n\r\n") != std::string_view::npos;
    FUZZ_CHECK(answer.empty() == (!whole && input.size() < kRequestBytesMax), "when to wait");
    FUZZ_CHECK(answer.empty() || answer.starts_with("HTTP/1.1 "), "not an answer");
    FUZZ_CHECK(answer.empty() || answer.find("\r\n\r\n") != std::string::npos,
               "not a whole answer");
    FUZZ_CHECK(filled == answer.starts_with("HTTP/1.1 200 OK\r\n"), "collected for an error");
    if (filled) {
      const std::string_view line = input.substr(0, input.find("\r\n"));
      FUZZ_CHECK(line.starts_with("GET /metrics") || line.starts_with("HEAD /metrics"),
                 "not a request for metrics");
    }
  }
};

}  // namespace

Target& TheTarget() {
  static HttpTarget target;
  return target;
}

}  // namespace borealis::fuzz
