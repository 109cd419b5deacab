// The subcommands of `borealis`. Each takes the words after its name and returns the exit code:
// 0 done, 1 it could not be done (the reason is on standard error), 2 the command line is wrong.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"

namespace borealis::cli {

inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

using Words = std::vector<std::string>;

// `borealis cluster VERB …`
int RunClusterCommand(const Words& words);
// `borealis storage|server|control|endpoint --dir DIR --id NAME`: one process of a cluster, in the
// foreground until SIGTERM.
int RunStorage(const Words& words);
int RunServer(const Words& words);
int RunControl(const Words& words);
int RunEndpoint(const Words& words);
// `borealis inspect WHAT …`
int RunInspect(const Words& words);

// Prints "borealis: MESSAGE" to standard error and gives the exit code that fits.
int Fail(const Status& status);
int UsageError(const std::string& message, const std::string& usage);

}  // namespace borealis::cli
