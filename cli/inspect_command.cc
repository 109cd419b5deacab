// `borealis inspect …`: decodes files and asks processes; changes nothing. What is damaged is
// decoded as far as it goes.
#include <fmt/format.h>

#include <cstdio>

#include "base/net/call.h"
#include "base/os/file.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "control/cluster_config.h"
#include "control/security.h"
#include "engine/store/inspect.h"
#include "storage_node/inspect.h"
#include "volume/message_type.h"
#include "volume/messages.pb.h"
#include "volume/record.h"

namespace borealis::cli {

namespace {

constexpr int64_t kCallTimeoutUs = 5'000'000;

constexpr const char* kUsage = R"(usage:
  borealis inspect journal FILE            batches and records of a storage node's journal file
  borealis inspect layer FILE              contents of a delta or image layer
  borealis inspect manifest FILE           the layers a storage node's manifest lists
  borealis inspect redo FILE               log records that stand one after the other in a file
  borealis inspect volume --dir DIR        every segment of a running cluster
  borealis inspect page NUMBER --dir DIR [--lsn LSN] [--node NAME]
                                           a page as a storage node of a running cluster has it
)";

std::string DescribeRedo(std::string_view bytes) {
  std::string text;
  for (std::string_view rest = bytes; !rest.empty();) {
    auto record = ParseRecord(rest);
    if (!record.ok()) {
      text += fmt::format("at byte {}: {}; {} bytes left\n", bytes.size() - rest.size(),
                          record.status().message(), rest.size());
      break;
    }
    text += DescribeRecord(*record) + "\n";
    rest.remove_prefix(record->length);
  }
  return text;
}

using Security = std::shared_ptr<const PeerSecurity>;

template <class Reply, class Request>
Result<std::pair<Reply, Frame>> AskNode(const control::StorageNodeConfig& node,
                                        const Security& security, MessageType type,
                                        const Request& request) {
  Frame frame;
  frame.type = static_cast<uint16_t>(type);
  frame.request_id = 1;
  request.SerializeToString(&frame.body);
  ASSIGN_OR_RETURN(Frame answer, CallOnce(node.host, node.port, frame, kCallTimeoutUs, security));
  Reply reply;
  if (!reply.ParseFromString(answer.body)) {
    return Status::Corruption(node.id + "'s answer cannot be read");
  }
  return std::pair(std::move(reply), std::move(answer));
}

Result<msg::NodeStatusReply> NodeStatus(const control::StorageNodeConfig& node,
                                        const Security& security) {
  msg::NodeStatusRequest request;
  request.set_volume_id(1);
  auto answer =
      AskNode<msg::NodeStatusReply>(node, security, MessageType::kNodeStatusRequest, request);
  if (!answer.ok()) {
    return std::move(answer).status();
  }
  return std::move(answer->first);
}

Result<std::string> DescribeVolume(const std::string& directory) {
  ASSIGN_OR_RETURN(const auto config, control::LoadClusterConfig(RealFileSystem(), directory));
  ASSIGN_OR_RETURN(const Security security,
                   control::LoadSecurity(directory, config, control::kOperatorId));
  std::string text;
  for (const control::StorageNodeConfig& node : config.storage_nodes) {
    auto reply = NodeStatus(node, security);
    if (!reply.ok()) {
      text += fmt::format("{} ({}): {}\n", node.id, node.az, reply.status().message());
      continue;
    }
    text += fmt::format("{} ({}): epoch {}, vdl told {}, journal {} MiB, layers {} MiB\n", node.id,
                        node.az, reply->volume_epoch(), reply->vdl_told(),
                        reply->journal_bytes() >> 20, reply->layer_bytes() >> 20);
    for (const auto& segment : reply->segments()) {
      text += fmt::format("  pg {:<4} scl {:<14} highest seen {:<14} {}\n", segment.pg(),
                          segment.scl(), segment.highest_seen(), segment.state());
    }
  }
  return text;
}

// Asks one node for a page at an LSN; by default at the highest LSN that the page's segment has.
Result<std::string> DescribePageOf(const std::string& directory, uint64_t number,
                                   const Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto config, control::LoadClusterConfig(RealFileSystem(), directory));
  ASSIGN_OR_RETURN(const Security security,
                   control::LoadSecurity(directory, config, control::kOperatorId));
  const std::string name = arguments.Get("node", config.storage_nodes.front().id);
  const control::StorageNodeConfig* node = config.FindStorageNode(name);
  if (node == nullptr) {
    return Status::NotFound("no storage node is named " + name);
  }
  ASSIGN_OR_RETURN(const msg::NodeStatusReply status, NodeStatus(*node, security));
  uint64_t scl = 0;
  for (const auto& segment : status.segments()) {
    scl = segment.pg() == number / config.pages_per_pg ? segment.scl() : scl;
  }
  ASSIGN_OR_RETURN(const uint64_t lsn, arguments.GetNumber("lsn", scl, 0, ~uint64_t{0}));
  msg::ReadPagesRequest request;
  request.set_volume_id(1);
  request.set_volume_epoch(status.volume_epoch());
  request.set_read_point(lsn);
  auto* wanted = request.add_pages();
  wanted->set_page(number);
  wanted->set_needed_lsn(std::min(lsn, scl));
  auto answer =
      AskNode<msg::ReadPagesReply>(*node, security, MessageType::kReadPagesRequest, request);
  if (!answer.ok()) {
    return std::move(answer).status();
  }
  const auto& [reply, frame] = *answer;
  if (reply.pages_size() != 1 || reply.pages(0).outcome() != msg::OK || frame.attachments.empty() ||
      frame.attachments[0].size() != kPageSize) {
    return Status::Unavailable(fmt::format(
        "{} does not give page {} at lsn {}: {} {}", name, number, lsn,
        reply.pages_size() == 1 ? msg::Outcome_Name(reply.pages(0).outcome()) : "no answer",
        reply.pages_size() == 1 ? reply.pages(0).reason() : ""));
  }
  Page page;
  std::memcpy(page.bytes, frame.attachments[0].view().data(), kPageSize);
  return engine::DescribePage(PageNo(number), page);
}

Result<std::string> Describe(const Arguments& arguments) {
  const auto& words = arguments.positional();
  if (words[0] == "volume") {
    return DescribeVolume(arguments.Get("dir"));
  }
  if (words[0] == "page") {
    char* end = nullptr;
    const uint64_t number = std::strtoull(words[1].c_str(), &end, 10);
    if (*end != '\0') {
      return Status::InvalidArgument("'" + words[1] + "' is not a page number");
    }
    return DescribePageOf(arguments.Get("dir"), number, arguments);
  }
  ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(RealFileSystem(), words[1]));
  if (words[0] == "redo") {
    return DescribeRedo(bytes);
  }
  std::string text;
  const auto add_line = [&text](std::string_view line) { text.append(line).push_back('\n'); };
  if (words[0] == "journal") {
    storage_node::InspectJournal(bytes, {}, add_line);
  } else if (words[0] == "layer") {
    storage_node::InspectLayer(bytes, {}, add_line);
  } else {
    storage_node::InspectManifest(bytes, add_line);
  }
  return text;
}

}  // namespace

int RunInspect(const Words& words) {
  const auto arguments = Arguments::Parse(words,
                                          {{"dir", "DIR", "a running cluster's directory"},
                                           {"lsn", "LSN", "the page as it was then"},
                                           {"node", "NAME", "the storage node to ask"}},
                                          /*positional_max=*/2);
  if (!arguments.ok()) {
    return UsageError(std::string(arguments.status().message()), kUsage);
  }
  const auto& positional = arguments->positional();
  const std::string what = positional.empty() ? "help" : positional.front();
  if (what == "help") {
    std::fputs(kUsage, stdout);
    return kExitDone;
  }
  const bool of_cluster = what == "volume" || what == "page";
  const bool of_file = what == "journal" || what == "layer" || what == "manifest" || what == "redo";
  if ((!of_cluster && !of_file) || positional.size() != (what == "volume" ? 1U : 2U) ||
      (of_cluster && !arguments->Has("dir"))) {
    return UsageError("inspect what?", kUsage);
  }
  const auto text = Describe(*arguments);
  if (!text.ok()) {
    return Fail(text.status());
  }
  std::fputs(text->c_str(), stdout);
  return kExitDone;
}

}  // namespace borealis::cli
