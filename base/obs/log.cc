#include "base/obs/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

namespace borealis {

namespace {
std::atomic<uint64_t> error_count{0};

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::shared_ptr<spdlog::logger>& Logger() {
  static std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("borealis",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::info);
    return made;
  }();
  return logger;
}
}  // namespace

void OpenLog(const std::string& path, std::string_view process_name, LogLevel least) {
  spdlog::sink_ptr sink;
  if (path.empty()) {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  } else {
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
  }
  auto logger = std::make_shared<spdlog::logger>(std::string(process_name), std::move(sink));
  logger->set_level(ToSpdlog(least));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%f %l %n [%t] %s:%# %v");
  logger->flush_on(spdlog::level::info);
  Logger() = std::move(logger);
}

bool LogEnabled(LogLevel level) {
  return Logger()->should_log(ToSpdlog(level));
}

void WriteLog(LogLevel level, const char* file, int line, std::string_view text) {
  if (level == LogLevel::kError) {
    error_count.fetch_add(1, std::memory_order_relaxed);
  }
  Logger()->log(spdlog::source_loc{file, line, ""}, ToSpdlog(level), "{}", text);
}

uint64_t LogErrorCount() {
  return error_count.load(std::memory_order_relaxed);
}

}  // namespace borealis
