#include "cli/command.h"

#include <cstdio>

namespace borealis::cli {

int Fail(const Status& status) {
  std::fprintf(stderr, "borealis: %s\n", std::string(status.message()).c_str());
  return kExitFailed;
}

int UsageError(const std::string& message, const std::string& usage) {
  std::fprintf(stderr, "borealis: %s\n\n%s", message.c_str(), usage.c_str());
  return kExitUsage;
}

}  // namespace borealis::cli
