#include "base/net/stranger_log.h"

#include "base/obs/log.h"
#include "base/os/time.h"

namespace borealis {

namespace {
constexpr int64_t kNameEveryUs = 60'000'000;
// Of addresses remembered; beyond it all are forgotten, and may be named once more.
constexpr size_t kAddressesMax = 1024;
}  // namespace

bool StrangerLog::IsDue(const std::string& who, int64_t now_us) {
  if (const auto found = named_us_.find(who);
      found != named_us_.end() && now_us - found->second < kNameEveryUs) {
    return false;
  }
  if (named_us_.size() >= kAddressesMax) {
    named_us_.clear();
  }
  named_us_[who] = now_us;
  return true;
}

void StrangerLog::Note(const std::string& who, const Status& why) {
  if (!IsDue(who, SystemClock().NowUs())) {
    ++unnamed_count_;
    return;
  }
  LOG_WARN(
      "{} did not prove that it belongs to this cluster: {} ({} more since the last such line)",
      who, why.message(), unnamed_count_);
  unnamed_count_ = 0;
}

}  // namespace borealis
