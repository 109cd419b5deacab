#include "cli/verify_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>

#include "base/net/call.h"
#include "base/os/thread.h"
#include "base/os/time.h"
#include "volume/geometry.h"
#include "volume/message_type.h"
#include "volume/messages.pb.h"
#include "volume/page.h"

namespace borealis::cli {

namespace {

constexpr uint64_t kVolume = 1;
constexpr int64_t kCallTimeoutUs = 20'000'000;
constexpr int64_t kPauseUs = 100'000;
// How long a batch is tried again, with newer LSNs, before its group counts as unread.
constexpr int64_t kBatchTimeoutUs = 60'000'000;
constexpr int64_t kTellEveryUs = 2'000'000;
constexpr uint32_t kListPages = 256;
constexpr uint64_t kBatchPagesMax = 512;
constexpr size_t kFindingsMax = 50;

template <class Reply, class Request>
Result<Reply> Call(const StorageNodeAddress& node, MessageType type, const Request& request,
                   const std::shared_ptr<const PeerSecurity>& security, std::string* attached) {
  Frame frame;
  frame.type = static_cast<uint16_t>(type);
  frame.request_id = 1;
  request.SerializeToString(&frame.body);
  ASSIGN_OR_RETURN(const Frame answer,
                   CallOnce(node.host, node.port, frame, kCallTimeoutUs, security));
  Reply reply;
  if (!reply.ParseFromString(answer.body)) {
    return Status::Corruption("an answer that cannot be read");
  }
  if (attached != nullptr) {
    attached->clear();
    for (const SharedBytes& bytes : answer.attachments) {
      attached->append(bytes.view());
    }
  }
  return reply;
}

class Verifier {
 public:
  Verifier(const control::ClusterConfig& config, std::shared_ptr<const PeerSecurity> security)
      : config_(config), security_(std::move(security)) {}

  Result<VerifyReport> Run() {
    RETURN_IF_ERROR(FindGeometry());
    report_.groups = geometry_.groups.size();
    for (uint32_t number = 0; number < geometry_.groups.size(); ++number) {
      VerifyGroup(PgId(number));
    }
    return std::move(report_);
  }

 private:
  // A holder of the group at work, and what it said last.
  struct Holder {
    StorageNodeAddress address;
    std::string name;
    Status status;
    msg::NodeStatusReply state;
    std::string images;
    const char* Image(size_t i) const { return images.data() + i * kPageSize; }
  };
  // At which LSN pages are read, and what a segment must have for that.
  struct ReadPoint {
    uint64_t lsn = 0;
    uint64_t needed = 0;
    uint64_t epoch = 0;
  };

  std::string NameOf(NodeId node) const {
    for (const control::StorageNodeConfig& known : config_.storage_nodes) {
      if (known.number == node.value()) {
        return known.id;
      }
    }
    return fmt::format("storage node {}", node.value());
  }

  void Find(std::string finding) {
    if (report_.findings.size() < kFindingsMax) {
      report_.findings.push_back(std::move(finding));
    }
  }

  // The highest version that a node knows as decided or proposed; either is of the same volume.
  Status FindGeometry() {
    msg::NodeStatusRequest request;
    request.set_volume_id(kVolume);
    for (const control::StorageNodeConfig& node : config_.storage_nodes) {
      const StorageNodeAddress address{NodeId(node.number), node.az, node.host, node.port};
      const auto reply = Call<msg::NodeStatusReply>(address, MessageType::kNodeStatusRequest,
                                                    request, security_, nullptr);
      if (!reply.ok() || reply->geometry().empty()) {
        continue;
      }
      ASSIGN_OR_RETURN(Geometry told, ParseGeometry(reply->geometry()));
      if (geometry_.version < told.version) {
        geometry_ = std::move(told);
      }
    }
    return geometry_.groups.empty() ? Status::Unavailable("no storage node tells of a volume")
                                    : Status::Ok();
  }

  // Runs `ask` for all holders at once.
  template <class Ask>
  void ForAll(std::vector<Holder>* holders, const Ask& ask) {
    std::vector<Thread> threads;
    for (Holder& holder : *holders) {
      threads.emplace_back("verify", [&holder, &ask] { ask(&holder); });
    }
    for (Thread& thread : threads) {
      thread.Join();
    }
  }

  void AskStates(std::vector<Holder>* holders) {
    ForAll(holders, [this](Holder* holder) {
      msg::NodeStatusRequest request;
      request.set_volume_id(kVolume);
      auto reply = Call<msg::NodeStatusReply>(holder->address, MessageType::kNodeStatusRequest,
                                              request, security_, nullptr);
      holder->status = reply.status();
      if (reply.ok()) {
        holder->state = std::move(*reply);
      }
    });
  }

  static Status FirstFailure(const std::vector<Holder>& holders) {
    for (const Holder& holder : holders) {
      if (!holder.status.ok()) {
        return Status::Unavailable(
            fmt::format("{}: {}", holder.name, std::string(holder.status.message())));
      }
    }
    return Status::Ok();
  }

  // The newest LSN that is durable. What was durable before all holders are asked again is in some
  // holder's SCL then: so the highest SCL is at or beyond the group's last record under the LSN.
  Result<ReadPoint> ChooseReadPoint(PgId pg, std::vector<Holder>* holders) {
    ReadPoint point;
    AskStates(holders);
    RETURN_IF_ERROR(FirstFailure(*holders));
    for (const Holder& holder : *holders) {
      point.lsn = std::max<uint64_t>(point.lsn, holder.state.vdl_told());
    }
    AskStates(holders);
    RETURN_IF_ERROR(FirstFailure(*holders));
    for (const Holder& holder : *holders) {
      point.epoch = std::max<uint64_t>(point.epoch, holder.state.volume_epoch());
      for (const msg::SegmentHealth& segment : holder.state.segments()) {
        if (segment.pg() == pg.value()) {
          point.needed = std::max<uint64_t>(point.needed, segment.scl());
        }
      }
    }
    point.needed = std::min(point.needed, point.lsn);
    return point;
  }

  // Pages from `from` on that the holder has, some of them, and where to go on: kNoNumber at the
  // end.
  Status List(PgId pg, const Holder& holder, uint64_t from, std::set<uint64_t>* pages,
              uint64_t* next) {
    msg::FetchPagesRequest request;
    request.set_volume_id(kVolume);
    request.set_pg(pg.value());
    request.set_from_page(from);
    request.set_size_bytes_max(kListPages * kPageSize);
    ASSIGN_OR_RETURN(const auto reply,
                     Call<msg::FetchPagesReply>(holder.address, MessageType::kFetchPagesRequest,
                                                request, security_, nullptr));
    if (reply.outcome() != msg::OK) {
      return Status::Unavailable(fmt::format("{} cannot list its pages: {} {}", holder.name,
                                             msg::Outcome_Name(reply.outcome()), reply.reason()));
    }
    pages->insert(reply.pages().begin(), reply.pages().end());
    *next = reply.more() ? reply.next_page() : kNoNumber;
    return Status::Ok();
  }

  // The next batch of numbers to compare. One holder's list says where the pages are; in between,
  // and beyond its last, the others could have pages that it lacks.
  Status NextBatch(PgId pg, const std::vector<Holder>& holders, uint64_t from,
                   std::set<uint64_t>* numbers, uint64_t* next) {
    RETURN_IF_ERROR(List(pg, holders.front(), from, numbers, next));
    const bool is_last = *next == kNoNumber;
    const uint64_t end = !is_last ? *next : numbers->empty() ? from : *numbers->rbegin() + 1;
    if (!is_last && end - from > kBatchPagesMax) {
      return Widen(pg, holders, from, end, numbers);
    }
    for (uint64_t number = from; number < end; ++number) {
      numbers->insert(number);
    }
    return is_last ? Widen(pg, holders, end, kNoNumber, numbers) : Status::Ok();
  }

  // Adds the pages of all holders in [from, end).
  Status Widen(PgId pg, const std::vector<Holder>& holders, uint64_t from, uint64_t end,
               std::set<uint64_t>* numbers) {
    for (const Holder& holder : holders) {
      for (uint64_t at = from; at < end;) {
        std::set<uint64_t> pages;
        RETURN_IF_ERROR(List(pg, holder, at, &pages, &at));
        numbers->insert(pages.begin(), pages.lower_bound(end));
      }
    }
    return Status::Ok();
  }

  void ReadAll(const std::vector<uint64_t>& numbers, const ReadPoint& point,
               std::vector<Holder>* holders) {
    msg::ReadPagesRequest request;
    request.set_volume_id(kVolume);
    request.set_volume_epoch(point.epoch);
    request.set_read_point(point.lsn);
    for (const uint64_t number : numbers) {
      msg::PageWanted* wanted = request.add_pages();
      wanted->set_page(number);
      wanted->set_needed_lsn(point.needed);
    }
    ForAll(holders, [&](Holder* holder) {
      const auto reply = Call<msg::ReadPagesReply>(holder->address, MessageType::kReadPagesRequest,
                                                   request, security_, &holder->images);
      holder->status = reply.status();
      for (int i = 0; reply.ok() && i < reply->pages_size() && holder->status.ok(); ++i) {
        const msg::PageRead& read = reply->pages(i);
        if (read.outcome() != msg::OK) {
          holder->status = Status::Unavailable(
              fmt::format("{} {}", msg::Outcome_Name(read.outcome()), read.reason()));
        }
      }
      if (holder->status.ok() && holder->images.size() != numbers.size() * kPageSize) {
        holder->status = Status::Corruption("answers another number of pages");
      }
    });
  }

  // Reads and compares a batch; tries again with a newer LSN while some holder is not there yet or
  // has merged it away.
  Status VerifyBatch(PgId pg, const std::vector<uint64_t>& numbers, ReadPoint* point,
                     std::vector<Holder>* holders) {
    const int64_t deadline_us = SystemClock().NowUs() + kBatchTimeoutUs;
    for (;;) {
      Status status;
      if (point->lsn == 0) {
        Result<ReadPoint> chosen = ChooseReadPoint(pg, holders);
        status = chosen.status();
        *point = chosen.ok() ? *chosen : ReadPoint();
      }
      if (status.ok()) {
        ReadAll(numbers, *point, holders);
        status = FirstFailure(*holders);
      }
      if (status.ok()) {
        Compare(pg, numbers, *point, *holders);
        return status;
      }
      if (SystemClock().NowUs() > deadline_us) {
        return status;
      }
      *point = ReadPoint();
      ::usleep(kPauseUs);
    }
  }

  void Compare(PgId pg, const std::vector<uint64_t>& numbers, const ReadPoint& point,
               const std::vector<Holder>& holders) {
    auto page = std::make_unique<Page>();
    for (size_t i = 0; i < numbers.size(); ++i) {
      bool equal = true;
      std::string copies;
      for (const Holder& holder : holders) {
        std::memcpy(page->bytes, holder.Image(i), kPageSize);
        const bool intact = PageIsIntact(*page);
        equal = equal && intact &&
                std::memcmp(holder.Image(i), holders.front().Image(i), kPageSize) == 0;
        copies += fmt::format(" {}: {}LSN {} CRC {:08x};", holder.name, intact ? "" : "damaged, ",
                              page->lsn().value(), LoadLittle<uint32_t>(page->bytes + 8));
      }
      if (!equal) {
        ++report_.different_pages;
        Find(fmt::format("protection group {} page {} as of {}:{}", pg.value(), numbers[i],
                         point.lsn, copies));
      }
    }
    report_.pages += numbers.size();
  }

  void VerifyGroup(PgId pg) {
    std::vector<Holder> holders;
    for (SegmentSet left = geometry_.group(pg).Holders(); left != 0; left &= left - 1) {
      const StorageNodeAddress& address =
          geometry_.nodes[static_cast<size_t>(std::countr_zero(left))];
      holders.push_back({address, NameOf(address.node), {}, {}, {}});
    }
    report_.segments += holders.size();
    ReadPoint point;
    Status status;
    for (uint64_t from = pg.value() * geometry_.pages_per_pg; from != kNoNumber && status.ok();) {
      std::set<uint64_t> numbers;
      uint64_t next = kNoNumber;
      status = NextBatch(pg, holders, from, &numbers, &next);
      for (auto at = numbers.begin(); at != numbers.end() && status.ok();) {
        std::vector<uint64_t> part;
        for (; at != numbers.end() && part.size() < kListPages; ++at) {
          part.push_back(*at);
        }
        status = VerifyBatch(pg, part, &point, &holders);
        Tell(pg);
      }
      from = next;
    }
    if (!status.ok()) {
      report_.unread_segments += holders.size();
      Find(fmt::format("protection group {} could not be compared: {}", pg.value(),
                       std::string(status.message())));
    }
  }

  void Tell(PgId pg) {
    const int64_t now_us = SystemClock().NowUs();
    if (now_us - told_us_ > kTellEveryUs) {
      told_us_ = now_us;
      std::fprintf(stderr, "protection group %u of %zu, %lu pages compared, %lu different\n",
                   pg.value() + 1, geometry_.groups.size(), report_.pages, report_.different_pages);
    }
  }

  static constexpr uint64_t kNoNumber = UINT64_MAX;

  const control::ClusterConfig& config_;
  const std::shared_ptr<const PeerSecurity> security_;
  Geometry geometry_;
  VerifyReport report_;
  int64_t told_us_ = SystemClock().NowUs();
};

}  // namespace

Result<VerifyReport> VerifyVolume(const control::ClusterConfig& config,
                                  std::shared_ptr<const PeerSecurity> security) {
  return Verifier(config, std::move(security)).Run();
}

}  // namespace borealis::cli
