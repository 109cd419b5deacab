// `borealis`: the one program. Its first word says which part of the system this process is, or
// which operator's command it runs.
#include <cstdio>

#include "cli/command.h"
#include "cli/version.h"

namespace borealis::cli {

namespace {

constexpr const char* kHelp =
    R"(borealis: a relational database with MySQL on the wire and six-way replicated storage.

Running a cluster on this machine
  borealis cluster up --dir DIR        start it, or start what is missing
  borealis cluster status --dir DIR    one screen, or --json
  borealis cluster failover --dir DIR [--to INSTANCE]
  borealis cluster start|stop|kill NAME --dir DIR
  borealis cluster verify --dir DIR    compare all copies of all data, byte for byte
  borealis cluster down --dir DIR      stop it; the data stays
  borealis cluster help                all options

Looking into files and processes (nothing is changed)
  borealis inspect help

Processes that `cluster up` starts
  borealis control | storage | server | endpoint  --dir DIR [--id NAME]

  borealis --version
  borealis help
)";

int Main(const Words& words) {
  const std::string command = words.empty() ? "help" : words.front();
  const Words rest(words.begin() + (words.empty() ? 0 : 1), words.end());
  if (command == "--version" || command == "version") {
    std::printf("borealis %s (speaks MySQL %s)\n", kVersion, kMysqlVersion);
    return kExitDone;
  }
  if (command == "help" || command == "--help" || command == "-h") {
    std::fputs(kHelp, stdout);
    return kExitDone;
  }
  if (command == "cluster") {
    return RunClusterCommand(rest);
  }
  if (command == "storage") {
    return RunStorage(rest);
  }
  if (command == "server") {
    return RunServer(rest);
  }
  if (command == "control") {
    return RunControl(rest);
  }
  if (command == "endpoint") {
    return RunEndpoint(rest);
  }
  if (command == "inspect") {
    return RunInspect(rest);
  }
  return UsageError("there is no command '" + command + "'", kHelp);
}

}  // namespace

}  // namespace borealis::cli

int main(int argc, char** argv) {
  return borealis::cli::Main(borealis::cli::Words(argv + 1, argv + argc));
}
