#include "base/net/stranger_log.h"

#include "base/obs/log.h"
#include "base/os/time.h"

namespace borealis {

namespace {
constexpr int64_t kNameEveryUs = 60'000'000;
// Of addresses remembered; beyond it all are forgotten, and may be named once more.
constexpr size_t kAddressesMax = 1024;
}  // namespace

bool StrangerLog::IsDue(const std::string& host, int64_t now_us) {
  if (const auto found = named_us_.find(host);
      found != named_us_.end() && now_us - found->second < kNameEveryUs) {
    return false;
  }
  if (named_us_.size() >= kAddressesMax) {
    named_us_.clear();
  }
  named_us_[host] = now_us;
  return true;
}

void StrangerLog::Note(const std::string& host, const char* what, const Status& why) {
  if (!IsDue(host, SystemClock().NowUs())) {
    ++unnamed_count_;
    return;
  }
  LOG_WARN("{} {} refused: {} ({} more like it since the last such line)", what, host,
           why.message(), unnamed_count_);
  unnamed_count_ = 0;
}

}  // namespace borealis
