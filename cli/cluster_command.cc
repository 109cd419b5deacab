// `borealis cluster …`: the operator's commands. `up` makes or continues a cluster on this machine;
// the others ask its control process. Forms and JSON keys are a contract (docs/operating.md).
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/net/call.h"
#include "base/os/file.h"
#include "base/os/process.h"
#include "base/os/time.h"
#include "cli/arguments.h"
#include "cli/cluster_layout.h"
#include "cli/command.h"
#include "cli/verify_command.h"
#include "control/message_type.h"
#include "control/messages.pb.h"
#include "control/security.h"
#include "control/status.h"
#include "control/supervisor.h"
#include "sql/executor/create.h"
#include "volume/page.h"

namespace borealis::cli {

namespace json = boost::json;
using control::ClusterConfig;

namespace {

constexpr int64_t kCallTimeoutUs = 5'000'000;
constexpr int64_t kUpTimeoutUs = 120'000'000;
constexpr int64_t kDownTimeoutUs = 60'000'000;
constexpr int64_t kFailoverTimeoutUs = 30'000'000;
constexpr int64_t kStorageTimeoutUs = 60'000'000;
constexpr int64_t kPollUs = 50'000;
constexpr int64_t kTellEveryUs = 1'000'000;
constexpr uint64_t kPgSizeLeast = uint64_t{1} << 20;

constexpr const char* kUsage = R"(usage:
  borealis cluster up --dir DIR [--readers 1] [--port 3306] [--reader-port 3307]
                      [--buffer-pool 256MiB] [--option name=value …] [--root-password-file FILE]
                      [--pg-size 10GiB] [--storage-nodes 6] [--secure] [--json]
  borealis cluster status --dir DIR [--json]
  borealis cluster down --dir DIR
  borealis cluster start|stop|kill NAME --dir DIR
  borealis cluster failover --dir DIR [--to INSTANCE]
  borealis cluster add-storage --dir DIR --az AZ [--json]
  borealis cluster drain NAME --dir DIR [--undo]
  borealis cluster remove-storage NAME --dir DIR
  borealis cluster verify --dir DIR [--json]
)";

std::vector<OptionSpec> Options() {
  return {{"dir", "DIR", "the cluster's directory"},
          {"readers", "N", "reader instances, 0 to 15 (default 1)"},
          {"port", "PORT", "port of the cluster endpoint (default 3306)"},
          {"reader-port", "PORT", "port of the reader endpoint (default 3307)"},
          {"buffer-pool", "SIZE", "page cache of each instance (default 256MiB)"},
          {"option", "name=value", "a system variable's value at start", /*repeatable=*/true},
          {"root-password-file", "FILE", "a new cluster's password for root (default: none)"},
          {"pg-size", "SIZE", "size of protection groups of a new cluster (default 10GiB)"},
          {"storage-nodes", "N", "storage nodes of a new cluster: 6 to 48, a third in each zone"},
          {"secure", "", "mutual TLS between the processes; fixed when a cluster is made"},
          {"to", "INSTANCE", "failover: the instance to promote"},
          {"az", "AZ", "add-storage: the availability zone of the new node"},
          {"undo", "", "drain: let the node have segments again"},
          {"json", "", "print one JSON object"}};
}

// Asks the control process of the cluster in `directory`.
Result<control::msg::ClusterReply> Ask(const std::string& directory, const ClusterConfig& config,
                                       const std::string& verb, const std::string& name = "",
                                       const std::string& target = "") {
  if (!control::LivingProcess(directory, std::string(control::kControlId)).has_value()) {
    return Status::Unavailable("control does not run");
  }
  control::msg::ClusterCommand command;
  command.set_directory(directory);
  command.set_verb(verb);
  command.set_name(name);
  command.set_target(target);
  Frame request;
  request.type = static_cast<uint16_t>(control::MessageType::kClusterCommand);
  request.request_id = 1;
  command.SerializeToString(&request.body);
  ASSIGN_OR_RETURN(auto security, control::LoadSecurity(directory, config, control::kOperatorId));
  ASSIGN_OR_RETURN(const Frame answer, CallOnce(config.host, config.control_port, request,
                                                kCallTimeoutUs, std::move(security)));
  control::msg::ClusterReply reply;
  if (!reply.ParseFromString(answer.body)) {
    return Status::Corruption("control's answer cannot be read");
  }
  return reply;
}

Status ControlIsDown(const std::string& directory, const ClusterConfig& config, const Status& why) {
  const std::vector<std::string> living = LivingProcesses(directory, config);
  const std::string remedy = "borealis cluster up --dir " + directory;
  if (living.empty()) {
    return Status::Unavailable("the cluster in " + directory +
                               " is not running; start it with: " + remedy);
  }
  if (std::find(living.begin(), living.end(), control::kControlId) != living.end()) {
    return Status::Unavailable(fmt::format("the control process runs but does not answer ({})",
                                           std::string(why.message())));
  }
  return Status::Unavailable(
      fmt::format("the control process is not running, but these are: {}; continue with: {}",
                  fmt::join(living, ", "), remedy));
}

// ---- up

Result<ClusterWishes> ReadWishes(const Arguments& arguments) {
  ClusterWishes wishes;
  if (arguments.Has("readers")) {
    ASSIGN_OR_RETURN(wishes.readers, arguments.GetNumber("readers", 1, 0, 15));
  }
  if (arguments.Has("port")) {
    ASSIGN_OR_RETURN(const uint64_t port, arguments.GetNumber("port", 0, 1, 65535));
    wishes.port = static_cast<uint16_t>(port);
  }
  if (arguments.Has("reader-port")) {
    ASSIGN_OR_RETURN(const uint64_t port, arguments.GetNumber("reader-port", 0, 1, 65535));
    wishes.reader_port = static_cast<uint16_t>(port);
  }
  if (arguments.Has("buffer-pool")) {
    ASSIGN_OR_RETURN(wishes.buffer_pool_bytes, control::ParseSize(arguments.Get("buffer-pool")));
  }
  if (arguments.Has("pg-size")) {
    ASSIGN_OR_RETURN(const uint64_t bytes, control::ParseSize(arguments.Get("pg-size")));
    if (bytes < kPgSizeLeast || bytes % kPageSize != 0) {
      return Status::InvalidArgument("--pg-size takes at least 1MiB, in whole 16 KiB pages");
    }
    wishes.pages_per_pg = bytes / kPageSize;
  }
  if (arguments.Has("storage-nodes")) {
    ASSIGN_OR_RETURN(wishes.storage_nodes,
                     arguments.GetNumber("storage-nodes", 6, 6, control::kStorageNodesMax));
    if (*wishes.storage_nodes % 3 != 0) {
      return Status::InvalidArgument("--storage-nodes takes a multiple of 3");
    }
  }
  if (arguments.Has("root-password-file")) {
    wishes.root_password_file = CanonicalPath(arguments.Get("root-password-file"));
  }
  wishes.secure = arguments.Has("secure");
  for (const std::string& option : arguments.GetAll("option")) {
    const size_t equals = option.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Status::InvalidArgument("--option takes name=value, not '" + option + "'");
    }
    wishes.options[option.substr(0, equals)] = option.substr(equals + 1);
  }
  // Checked here as every instance will: one that refuses its options would end again and again.
  const auto parts = sql::MakeExecutorParts();
  for (const auto& [name, value] : wishes.options) {
    if (Status status = control::IsControlOption(name) ? control::CheckControlOption(name, value)
                                                       : parts->variables->SetAtStart(name, value);
        !status.ok()) {
      return Status::InvalidArgument("--option " + name + "=" + value + ": " +
                                     std::string(status.message()));
    }
  }
  return wishes;
}

// The last lines of what a process printed, for a message about its end.
std::string LastWords(const std::string& directory, std::string_view name) {
  std::string words;
  for (const char* file : {"output", "log"}) {
    auto text = ReadWholeFile(RealFileSystem(), directory + "/" + std::string(name) + "/" + file);
    if (text.ok() && !text->empty()) {
      words += text->substr(text->size() > 800 ? text->size() - 800 : 0);
    }
  }
  return words;
}

// Waits until a statement can run at the cluster endpoint, telling what it waits for whenever that
// changes.
Status WaitUntilServing(const std::string& directory, const ClusterConfig& config,
                        const ProcessIdentity& control_process) {
  const int64_t start_us = SystemClock().NowUs();
  int64_t told_us = start_us;
  std::string told;
  for (;;) {
    const auto reply = Ask(directory, config, "status");
    if (reply.ok() && reply->serving()) {
      return Status::Ok();
    }
    const int64_t now_us = SystemClock().NowUs();
    if (!ProcessIsAlive(control_process)) {
      return Status::Unavailable("the control process ended:\n" + LastWords(directory, "control"));
    }
    if (now_us - start_us > kUpTimeoutUs) {
      return Status::TimedOut(
          fmt::format("the cluster did not come into service within {} s; see the logs in {}/*/log",
                      kUpTimeoutUs / 1'000'000, directory));
    }
    if (reply.ok() && !reply->hopeless().empty()) {
      return Status::Unavailable("the cluster cannot come into service:\n" + reply->hopeless());
    }
    if (now_us - told_us > kTellEveryUs && reply.ok()) {
      told_us = now_us;
      std::string troubles = control::StatusTroubles(reply->status_json());
      if (troubles != told) {
        std::fprintf(stderr, "waiting %2d s: %s\n",
                     static_cast<int>((now_us - start_us) / 1'000'000), troubles.c_str());
        told = std::move(troubles);
      }
    }
    ::usleep(kPollUs);
  }
}

Status PrintStatus(const std::string& json, bool as_json) {
  if (as_json) {
    std::printf("%s\n", json.c_str());
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(const std::string screen, control::StatusScreen(json));
  std::fputs(screen.c_str(), stdout);
  return Status::Ok();
}

Status Up(const std::string& directory, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const ClusterWishes wishes, ReadWishes(arguments));
  ASSIGN_OR_RETURN(ClusterConfig config, PlanCluster(directory, wishes));
  const std::vector<std::string> living = LivingProcesses(directory, config);
  ProcessIdentity control_process;
  const bool control_lives =
      std::find(living.begin(), living.end(), control::kControlId) != living.end();
  if (living.empty()) {
    RETURN_IF_ERROR(SettlePorts(&config));
    RETURN_IF_ERROR(WriteLayout(directory, config));
  } else {
    // Also with processes left over from a control that was killed: the addresses must stay.
    ASSIGN_OR_RETURN(const ClusterConfig running,
                     control::LoadClusterConfig(RealFileSystem(), directory));
    if (const std::string differences = Differences(config, running); !differences.empty()) {
      return Status::InvalidArgument(
          fmt::format("the cluster in {} is running and cannot take {}; stop it first: borealis "
                      "cluster down --dir {}",
                      directory, differences, directory));
    }
    config = running;
  }
  if (!control_lives) {
    ASSIGN_OR_RETURN(control_process, SpawnProcess({ThisProgram(), "control", "--dir", directory},
                                                   directory + "/control/output"));
  } else {
    control_process = control::LivingProcess(directory, std::string(control::kControlId))
                          .value_or(ProcessIdentity());
  }
  Status status = WaitUntilServing(directory, config, control_process);
  if (!status.ok() && living.empty()) {
    KillLeftovers(directory, config);
  }
  RETURN_IF_ERROR(std::move(status));
  ASSIGN_OR_RETURN(const auto reply, Ask(directory, config, "status"));
  return PrintStatus(reply.status_json(), arguments.Has("json"));
}

// ---- the others

Status ShowStatus(const std::string& directory, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const ClusterConfig config,
                   control::LoadClusterConfig(RealFileSystem(), directory));
  const auto reply = Ask(directory, config, "status");
  if (!reply.ok()) {
    return ControlIsDown(directory, config, reply.status());
  }
  return PrintStatus(reply->status_json(), arguments.Has("json"));
}

Status Down(const std::string& directory) {
  ASSIGN_OR_RETURN(const ClusterConfig config,
                   control::LoadClusterConfig(RealFileSystem(), directory));
  if (!Ask(directory, config, "down").ok()) {
    // Control is gone; what it left running has nobody to stop it in order. Storage loses nothing.
    KillLeftovers(directory, config);
  }
  const int64_t deadline_us = SystemClock().NowUs() + kDownTimeoutUs;
  while (!LivingProcesses(directory, config).empty()) {
    if (SystemClock().NowUs() > deadline_us) {
      KillLeftovers(directory, config);
      return Status::TimedOut("some processes did not stop by themselves and were killed");
    }
    if (!control::LivingProcess(directory, std::string(control::kControlId)).has_value()) {
      KillLeftovers(directory, config);  // control leaves last: these it did not know of
    }
    ::usleep(kPollUs);
  }
  return Status::Ok();
}

// Control cannot be asked to start itself. Without it the rest goes on.
Status CommandControl(const std::string& directory, const std::string& verb) {
  const auto living = control::LivingProcess(directory, std::string(control::kControlId));
  if (verb == "start") {
    return living.has_value() ? Status::Ok()
                              : SpawnProcess({ThisProgram(), "control", "--dir", directory},
                                             directory + "/control/output")
                                    .status();
  }
  if (living.has_value()) {
    SignalProcess(*living, verb == "kill" ? SIGKILL : SIGTERM);
  }
  return Status::Ok();
}

Status Command(const std::string& directory, const std::string& verb, const std::string& name,
               const std::string& target) {
  ASSIGN_OR_RETURN(const ClusterConfig config,
                   control::LoadClusterConfig(RealFileSystem(), directory));
  if (name == control::kControlId) {
    return CommandControl(directory, verb);
  }
  const auto reply = Ask(directory, config, verb, name, target);
  if (!reply.ok()) {
    return ControlIsDown(directory, config, reply.status());
  }
  return reply->ok() ? Status::Ok() : Status::InvalidArgument(reply->reason());
}

// Promotes an instance and waits until it serves.
Status Failover(const std::string& directory, const std::string& target) {
  ASSIGN_OR_RETURN(const ClusterConfig config,
                   control::LoadClusterConfig(RealFileSystem(), directory));
  const auto before = Ask(directory, config, "status");
  RETURN_IF_ERROR(Command(directory, "failover", "", target));
  const int64_t deadline_us = SystemClock().NowUs() + kFailoverTimeoutUs;
  while (SystemClock().NowUs() < deadline_us) {
    const auto now = Ask(directory, config, "status");
    if (now.ok() && before.ok() && now->writer() != before->writer() && now->serving()) {
      std::printf("%s is the writer\n", now->writer().c_str());
      return Status::Ok();
    }
    ::usleep(kPollUs);
  }
  return Status::TimedOut("no instance has taken over yet; see borealis cluster status");
}

// ---- storage nodes

// The node's object in a status; null when it has none.
const json::object* FindStorageNode(const json::value& status, const std::string& name) {
  for (const json::value& node : status.at("storage_nodes").as_array()) {
    if (node.at("id").as_string() == name) {
      return &node.as_object();
    }
  }
  return nullptr;
}

// Waits until the new node runs and the volume's geometry has it.
Status AddStorage(const std::string& directory, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const ClusterConfig config,
                   control::LoadClusterConfig(RealFileSystem(), directory));
  const auto reply = Ask(directory, config, "add-storage", arguments.Get("az"));
  if (!reply.ok()) {
    return ControlIsDown(directory, config, reply.status());
  }
  if (!reply->ok()) {
    return Status::InvalidArgument(reply->reason());
  }
  const int64_t deadline_us = SystemClock().NowUs() + kStorageTimeoutUs;
  while (SystemClock().NowUs() < deadline_us) {
    if (const auto now = Ask(directory, config, "status"); now.ok()) {
      const json::value status = json::parse(now->status_json());
      const json::object* node = FindStorageNode(status, reply->name());
      if (node != nullptr && node->at("state") == "running" && node->at("in_volume").as_bool()) {
        std::printf("%s\n", arguments.Has("json") ? json::serialize(*node).c_str()
                                                  : (reply->name() + " is in service").c_str());
        return Status::Ok();
      }
    }
    ::usleep(kPollUs);
  }
  return Status::TimedOut(reply->name() +
                          " was added and is not in service yet; see borealis cluster status");
}

// Waits until the writer has taken it up; the segments move afterwards.
Status Drain(const std::string& directory, const std::string& name, bool undo) {
  ASSIGN_OR_RETURN(const ClusterConfig config,
                   control::LoadClusterConfig(RealFileSystem(), directory));
  const int64_t deadline_us = SystemClock().NowUs() + kStorageTimeoutUs;
  while (SystemClock().NowUs() < deadline_us) {
    const auto reply = Ask(directory, config, undo ? "undrain" : "drain", name);
    if (!reply.ok()) {
      return ControlIsDown(directory, config, reply.status());
    }
    if (!reply->ok()) {
      return Status::InvalidArgument(reply->reason());
    }
    if (!reply->pending()) {
      std::printf(undo
                      ? "%s may hold segments again\n"
                      : "%s is draining; borealis cluster status says how many segments are left\n",
                  name.c_str());
      return Status::Ok();
    }
    ::usleep(kPollUs);
  }
  return Status::TimedOut("the writer has not taken it up yet; see borealis cluster status");
}

Status RemoveStorage(const std::string& directory, const std::string& name) {
  RETURN_IF_ERROR(Command(directory, "remove-storage", name, ""));
  const int64_t deadline_us = SystemClock().NowUs() + kStorageTimeoutUs;
  while (control::LivingProcess(directory, name).has_value()) {
    if (SystemClock().NowUs() > deadline_us) {
      return Status::TimedOut(name + " is out of the cluster, but its process has not ended");
    }
    ::usleep(kPollUs);
  }
  std::printf("%s is removed; its directory is left: %s/%s\n", name.c_str(), directory.c_str(),
              name.c_str());
  return Status::Ok();
}

// ---- verify

// kCorruption when copies differ, kUnavailable when some could not be compared.
Status Verify(const std::string& directory, bool as_json) {
  ASSIGN_OR_RETURN(const ClusterConfig config,
                   control::LoadClusterConfig(RealFileSystem(), directory));
  ASSIGN_OR_RETURN(auto security, control::LoadSecurity(directory, config, control::kOperatorId));
  ASSIGN_OR_RETURN(const VerifyReport report, VerifyVolume(config, std::move(security)));
  if (as_json) {
    json::array findings(report.findings.begin(), report.findings.end());
    std::printf("%s\n", json::serialize(json::object{{"equal", report.all_equal()},
                                                     {"protection_groups", report.groups},
                                                     {"segments", report.segments},
                                                     {"pages", report.pages},
                                                     {"different_pages", report.different_pages},
                                                     {"unread_segments", report.unread_segments},
                                                     {"findings", std::move(findings)}})
                            .c_str());
  } else {
    for (const std::string& finding : report.findings) {
      std::printf("%s\n", finding.c_str());
    }
    std::printf("%lu pages of %lu protection groups compared in %lu segments\n", report.pages,
                report.groups, report.segments);
  }
  if (report.different_pages > 0) {
    return Status::Corruption(fmt::format("{} pages differ", report.different_pages));
  }
  return report.all_equal() ? Status::Ok()
                            : Status::Unavailable(fmt::format("{} segments could not be compared",
                                                              report.unread_segments));
}

Status Dispatch(const std::string& verb, const std::string& directory, const Arguments& arguments) {
  const auto& words = arguments.positional();
  if (verb == "up") {
    return Up(directory, arguments);
  }
  if (verb == "status") {
    return ShowStatus(directory, arguments);
  }
  if (verb == "down") {
    return Down(directory);
  }
  if (verb == "failover") {
    return Failover(directory, arguments.Get("to"));
  }
  if (verb == "add-storage") {
    return AddStorage(directory, arguments);
  }
  if (verb == "drain") {
    return Drain(directory, words[1], arguments.Has("undo"));
  }
  if (verb == "remove-storage") {
    return RemoveStorage(directory, words[1]);
  }
  if (verb == "verify") {
    return Verify(directory, arguments.Has("json"));
  }
  return Command(directory, verb, words[1], "");
}

bool NamesProcess(const std::string& verb) {
  return verb == "start" || verb == "stop" || verb == "kill" || verb == "drain" ||
         verb == "remove-storage";
}

bool IsVerb(const std::string& verb) {
  return NamesProcess(verb) || verb == "up" || verb == "status" || verb == "down" ||
         verb == "failover" || verb == "add-storage" || verb == "verify";
}

}  // namespace

int RunClusterCommand(const Words& words) {
  const auto options = Options();
  const auto arguments = Arguments::Parse(words, options, /*positional_max=*/2);
  if (!arguments.ok()) {
    return UsageError(std::string(arguments.status().message()), kUsage);
  }
  const auto& positional = arguments->positional();
  const std::string verb = positional.empty() ? "help" : positional.front();
  if (verb == "help") {
    std::printf("%s\n%s", kUsage, DescribeOptions(options).c_str());
    return kExitDone;
  }
  const bool names_process = NamesProcess(verb);
  if (!IsVerb(verb)) {
    return UsageError("there is no command 'cluster " + verb + "'", kUsage);
  }
  if (!arguments->Has("dir")) {
    return UsageError("--dir is missing", kUsage);
  }
  if (verb == "add-storage" && !arguments->Has("az")) {
    return UsageError("--az is missing: in which availability zone?", kUsage);
  }
  if (positional.size() != (names_process ? 2U : 1U)) {
    return UsageError(names_process ? "which process? Name it: cluster " + verb + " NAME"
                                    : "unexpected word '" + positional.back() + "'",
                      kUsage);
  }
  const Status status = Dispatch(verb, CanonicalPath(arguments->Get("dir")), *arguments);
  return status.ok() ? kExitDone : Fail(status);
}

}  // namespace borealis::cli
