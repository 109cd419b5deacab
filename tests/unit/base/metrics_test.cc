// base/obs/: the text that Prometheus reads, and the server that gives it.
#include "base/obs/metrics.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/obs/metrics_server.h"

namespace borealis {
namespace {

TEST(MetricsPageTest, SamplesOfOneNameStandTogether) {
  MetricsPage page;
  page.Counter("borealis_a_total", "What a is.", 3, {{"kind", "x"}});
  page.Gauge("borealis_b", "What b is.", 2.5);
  page.Counter("borealis_a_total", "What a is.", 4, {{"kind", "y"}, {"other", "z"}});
  page.Seconds("borealis_c_seconds_total", "Time.", 1'500'000);
  EXPECT_EQ(page.Text(),
            "# HELP borealis_a_total What a is.\n# TYPE borealis_a_total counter\n"
            "borealis_a_total{kind=\"x\"} 3\nborealis_a_total{kind=\"y\",other=\"z\"} 4\n"
            "# HELP borealis_b What b is.\n# TYPE borealis_b gauge\nborealis_b 2.5\n"
            "# HELP borealis_c_seconds_total Time.\n# TYPE borealis_c_seconds_total counter\n"
            "borealis_c_seconds_total 1.500000\n");
}

TEST(MetricsPageTest, LabelsAndHelpAreEscaped) {
  MetricsPage page;
  page.Gauge("borealis_a", "One\\two\nthree \"four\".", 1, {{"text", "a\"b\\c\nd"}});
  EXPECT_EQ(page.Text(),
            "# HELP borealis_a One\\\\two\\nthree \"four\".\n# TYPE borealis_a gauge\n"
            "borealis_a{text=\"a\\\"b\\\\c\\nd\"} 1\n");
}

TEST(MetricsPageTest, HistogramsAreCumulative) {
  DurationHistogram histogram;
  for (const int64_t us : {0, 50, 51, 100, 1'000'000, 1'000'000'000}) {
    histogram.Observe(us);
  }
  MetricsPage page;
  page.Histogram("borealis_d_seconds", "Durations.", histogram.Take());
  const std::string text = page.Text();
  for (const char* line : {"_bucket{le=\"5e-05\"} 2\n", "_bucket{le=\"0.0001\"} 4\n",
                           "_bucket{le=\"0.8192\"} 4\n", "_bucket{le=\"1.6384\"} 5\n",
                           "_bucket{le=\"+Inf\"} 6\n", "_count 6\n", "_sum 1001.000201\n"}) {
    EXPECT_NE(text.find(std::string("borealis_d_seconds") + line), std::string::npos) << text;
  }
}

void FillOne(MetricsPage* page) {
  page->Gauge("borealis_a", "A.", 1);
}

std::string StatusOf(std::string_view request) {
  bool filled = false;
  const std::string answer = AnswerHttp(request, [&](MetricsPage* page) {
    filled = true;
    FillOne(page);
  });
  const std::string status = answer.substr(0, answer.find("\r\n"));
  EXPECT_EQ(filled, status == "HTTP/1.1 200 OK") << request;
  return status;
}

TEST(MetricsServerTest, OnlyWellFormedRequestsAreAnswered) {
  EXPECT_EQ(StatusOf("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 200 OK");
  EXPECT_EQ(StatusOf("GET /metrics?x=1 HTTP/1.0\r\n\r\n"), "HTTP/1.1 200 OK");
  EXPECT_EQ(StatusOf("HEAD /metrics HTTP/1.1\r\n\r\n"), "HTTP/1.1 200 OK");
  EXPECT_EQ(StatusOf("GET /metrics HTTP/1.1\r\nHost: x\r\n"), "");  // more is to come
  EXPECT_EQ(StatusOf(""), "");
  EXPECT_EQ(StatusOf("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 Not Found");
  EXPECT_EQ(StatusOf("GET /metricsx HTTP/1.1\r\n\r\n"), "HTTP/1.1 404 Not Found");
  EXPECT_EQ(StatusOf("POST /metrics HTTP/1.1\r\n\r\n"), "HTTP/1.1 405 Method Not Allowed");
  for (const char* bad : {"\r\n\r\n", "GET\r\n\r\n", "GET /metrics\r\n\r\n",
                          "GET /metrics SMTP\r\n\r\n", "  \r\n\r\n"}) {
    EXPECT_EQ(StatusOf(bad), "HTTP/1.1 400 Bad Request") << bad;
  }
  EXPECT_EQ(StatusOf(std::string(4096, 'x')), "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_EQ(StatusOf("GET /metrics HTTP/1.1\r\nX: " + std::string(5000, 'x') + "\r\n\r\n"),
            "HTTP/1.1 431 Request Header Fields Too Large");
}

class Client {
 public:
  explicit Client(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(std::string_view bytes) const { ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  std::string ReadToEnd() const {
    std::string all;
    char buffer[4096];
    for (ssize_t got; (got = ::recv(fd_, buffer, sizeof(buffer), 0)) > 0;) {
      all.append(buffer, static_cast<size_t>(got));
    }
    return all;
  }

 private:
  const int fd_;
};

TEST(MetricsServerTest, AnswersInPiecesAndManyTimesAndSurvivesTheSilent) {
  auto server = MetricsServer::Start("127.0.0.1", 0, FillOne).value();
  const Client silent(server->port());  // still there when the server ends
  for (int i = 0; i < 50; ++i) {
    const Client client(server->port());
    client.Send("GET /met");
    client.Send("rics HTTP/1.1\r\n");
    client.Send("Host: localhost\r\n\r\n");
    const std::string answer = client.ReadToEnd();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(
        answer.ends_with("\r\n\r\n# HELP borealis_a A.\n# TYPE borealis_a gauge\n"
                         "borealis_a 1\n"))
        << answer;
    EXPECT_NE(answer.find("Content-Type: text/plain; version=0.0.4"), std::string::npos);
  }
  server = nullptr;
  EXPECT_EQ(silent.ReadToEnd(), "");
}

TEST(MetricsServerTest, WhoHoldsConnectionsIsClosedAndAPortInUseIsReported) {
  auto server = MetricsServer::Start("127.0.0.1", 0, FillOne).value();
  EXPECT_FALSE(MetricsServer::Start("127.0.0.1", server->port(), FillOne).ok());
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 40; ++i) {
    silent.push_back(std::make_unique<Client>(server->port()));
  }
  EXPECT_EQ(silent.back()->ReadToEnd(), "");   // beyond the limit: at once
  EXPECT_EQ(silent.front()->ReadToEnd(), "");  // after the time limit
  const Client client(server->port());
  client.Send("GET /metrics HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(client.ReadToEnd().starts_with("HTTP/1.1 200 OK\r\n"));
}

}  // namespace
}  // namespace borealis
