// The process's log: one line an event, to standard error or a file, with level, time and place.
//
//   LOG_INFO("volume opened: epoch {} vdl {}", epoch.value(), vdl.value());
//
// Levels have meanings: ERROR needs a person; WARN is odd but handled; INFO is a change of state a
// person reads the next day; DEBUG is off by default. An error is logged once, where it is handled.
// Thread-safe. Formatting is fmt's.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace borealis {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// Directs the log to `path` (empty: standard error) and names the process in each line. Call once
// at start, before other threads log.
void OpenLog(const std::string& path, std::string_view process_name, LogLevel least);
void WriteLog(LogLevel level, const char* file, int line, std::string_view text);
bool LogEnabled(LogLevel level);
// Lines written at kError since start; tests fail when it is not zero.
uint64_t LogErrorCount();

}  // namespace borealis

#define BOREALIS_LOG(level, ...)                                                   \
  do {                                                                             \
    if (::borealis::LogEnabled(level)) {                                           \
      ::borealis::WriteLog(level, __FILE__, __LINE__, ::fmt::format(__VA_ARGS__)); \
    }                                                                              \
  } while (false)
#define LOG_DEBUG(...) BOREALIS_LOG(::borealis::LogLevel::kDebug, __VA_ARGS__)
#define LOG_INFO(...) BOREALIS_LOG(::borealis::LogLevel::kInfo, __VA_ARGS__)
#define LOG_WARN(...) BOREALIS_LOG(::borealis::LogLevel::kWarn, __VA_ARGS__)
#define LOG_ERROR(...) BOREALIS_LOG(::borealis::LogLevel::kError, __VA_ARGS__)
