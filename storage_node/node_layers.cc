// Background: tables into layers, layers into fewer and shorter ones, journal space back.
#include <algorithm>

#include "base/fault.h"
#include "base/obs/log.h"
#include "storage_node/core.h"
#include "storage_node/merge.h"

namespace borealis::storage_node {

namespace {
constexpr int64_t kRetryUs = 1'000'000;
constexpr int64_t kCollectIntervalUs = 1'000'000;
// Emptied pages are collected when they are one in so many of the segment's.
constexpr size_t kCollectPart = 8;
}  // namespace

uint64_t Node::Core::CountMemoryBytes() const {
  uint64_t bytes = 0;
  for (const auto& [id, volume] : volumes_) {
    for (const auto& [pg, held] : volume->segments) {
      bytes += held.segment->table_bytes();
    }
  }
  return bytes;
}

// One work at a time for the whole node: background yields to the foreground.
void Node::Core::StartLayerWork() {
  if (layer_work_under_way_ || now() < layer_not_before_us_) {
    return;
  }
  if (!StartTable() && !StartMerge() && now() >= collect_not_before_us_) {
    collect_not_before_us_ = now() + kCollectIntervalUs;
    StartCollection();
  }
}

void Node::Core::MakeLayerOfTable(Held& held) {
  Segment& segment = *held.segment;
  const Lsn cut = segment.LayerCut();
  MergePlan plan;
  plan.table = segment.TableEntries(cut);
  plan.below = segment.LayerInfos();
  plan.output.from = segment.layered_up_to();
  plan.output.up_to = cut;
  ++counters_.layers_written;
  RunMerge(held, std::move(plan), {}, cut);
}

// Makes one layer of the layers [begin, end) of the segment.
void Node::Core::MergeInto(Held& held, size_t begin, size_t end, uint32_t level) {
  const std::vector<LayerInfo> infos = held.segment->LayerInfos();
  MergePlan plan;
  std::vector<uint64_t> replaced;
  for (size_t i = begin; i < end; ++i) {
    plan.layers.push_back(infos[i]);
    replaced.push_back(infos[i].number);
  }
  plan.below.assign(infos.begin(), infos.begin() + static_cast<ptrdiff_t>(begin));
  plan.output.from = infos[begin].from;
  plan.output.up_to = infos[end - 1].up_to;
  plan.output.level = level;
  ++counters_.layer_merges;
  RunMerge(held, std::move(plan), std::move(replaced), held.segment->layered_up_to());
}

// A page that was emptied costs nothing but a small record once everything older of it has gone.
// Where so many were emptied that it pays, and nobody reads the past of before any more, all layers
// of the segment become one, however young; what is in the table goes to a layer first.
bool Node::Core::StartCollection() {
  for (auto& [id, volume] : volumes_) {
    for (auto& [pg, held] : volume->segments) {
      const Segment& segment = *held.segment;
      if (segment.layer_job || segment.damaged) {
        continue;
      }
      const Lsn line = std::min(ReadLine(segment), RecordLine(held, segment.LayerCut()));
      const size_t in_table = segment.EmptiedInTable(line);
      const size_t emptied = in_table + segment.EmptiedInLayers(line);
      if (emptied < config_.collect_pages_min || emptied * kCollectPart < segment.PageCount()) {
        continue;
      }
      COVER("node.collect_emptied_pages");
      if (in_table > 0) {
        MakeLayerOfTable(held);
      } else {
        MergeInto(held, 0, segment.layers().size(), segment.layers().front()->info().level);
      }
      return true;
    }
  }
  return false;
}

// Makes a layer of the table that needs it most: a full one; under pressure of memory the largest,
// under pressure of journal space, or when a journal file is suspect, the one with the oldest
// records.
bool Node::Core::StartTable() {
  memory_bytes_ = CountMemoryBytes();
  const bool memory_short = memory_bytes_ > config_.memory_bytes;
  const bool journal_short = journal_.SizeBytes() > config_.journal_bytes;
  Held* chosen = nullptr;
  uint64_t best = 0;
  for (auto& [id, volume] : volumes_) {
    for (auto& [pg, held] : volume->segments) {
      const Segment& segment = *held.segment;
      if (segment.table_bytes() == 0 || segment.layer_job || segment.damaged) {
        continue;
      }
      const uint64_t oldest = segment.oldest_journal_file();
      const bool pins = (journal_short && oldest == journal_.oldest_file()) ||
                        (oldest != 0 && oldest <= suspect_journal_file_);
      if (segment.table_bytes() < config_.table_bytes && !memory_short && !pins) {
        continue;
      }
      if (segment.LayerCut() <= segment.layered_up_to()) {
        continue;
      }
      const uint64_t need = segment.table_bytes() + (pins ? uint64_t{1} << 48 : 0);
      if (need > best) {
        best = need;
        chosen = &held;
      }
    }
  }
  if (chosen == nullptr) {
    return false;
  }
  MakeLayerOfTable(*chosen);
  return true;
}

// Merges the newest run of neighbours of one level that is long enough into one of the next level.
bool Node::Core::StartMerge() {
  for (auto& [id, volume] : volumes_) {
    for (auto& [pg, held] : volume->segments) {
      Segment& segment = *held.segment;
      if (segment.layer_job || segment.damaged || segment.layers().size() < config_.merge_layers) {
        continue;
      }
      const std::vector<LayerInfo> infos = segment.LayerInfos();
      size_t end = infos.size();
      size_t begin = end;
      while (begin > 0 && end - begin < config_.merge_layers) {
        if (begin < end && infos[begin - 1].level != infos[end - 1].level) {
          end = begin;
        }
        --begin;
      }
      if (end - begin < config_.merge_layers) {
        continue;
      }
      MergeInto(held, begin, end, infos[end - 1].level + 1);
      return true;
    }
  }
  return false;
}

// `cut`: how far the table is in layers once the result is durable.
void Node::Core::RunMerge(Held& held, MergePlan plan, std::vector<uint64_t> replaced, Lsn cut) {
  Segment& segment = *held.segment;
  const VolumeState& state = segment.volume();
  plan.output.number = next_layer_++;
  plan.output.volume = state.id;
  plan.output.pg = segment.pg();
  plan.horizon = ReadLine(segment);
  plan.drop_records_up_to = std::min(plan.horizon, RecordLine(held, cut));
  plan.image_after_records = config_.image_after_records;
  segment.layer_job = true;
  segment.job_cut = cut;
  layer_work_under_way_ = true;
  struct Outcome {
    std::shared_ptr<Layer> layer;
    bool dropped = false;
    size_t page_count = 0;
  };
  auto made = std::make_shared<Outcome>();
  segment.job_horizon = plan.horizon;
  const Lsn horizon = plan.horizon;
  auto shared_plan = std::make_shared<MergePlan>(std::move(plan));
  Start(
      Lane::kLayers,
      [shared_plan, made, files = &files_, directory = config_.directory]() -> Status {
        ASSIGN_OR_RETURN(const MergeResult result,
                         MergeLayers(*files, directory, std::move(*shared_plan)));
        made->dropped = result.dropped;
        made->page_count = result.page_count;
        ASSIGN_OR_RETURN(made->layer, Layer::Open(*files, directory, result.info));
        return Status::Ok();
      },
      [this, &segment, made, replaced = std::move(replaced), cut, horizon](const Status& outcome) {
        if (!outcome.ok()) {
          COVER("node.layer_work_failed");
          LOG_WARN("node {}: volume {} pg {}: layer work: {}", config_.node.value(),
                   segment.volume().id.value(), segment.pg().value(), outcome.ToString());
          segment.layer_job = false;
          segment.job_cut = Lsn(0);
          segment.job_horizon = Lsn(0);
          layer_work_under_way_ = false;
          layer_not_before_us_ = now() + kRetryUs;
          if (outcome.Is(Code::kCorruption)) {
            NoteDamage(segment, outcome);
          }
          return;
        }
        (replaced.empty() ? counters_.layer_bytes_from_tables
                          : counters_.layer_bytes_from_merges) += made->layer->info().bytes;
        segment.InstallLayer(made->layer, replaced, made->dropped ? horizon : Lsn(0));
        if (segment.layers().back() == made->layer) {
          segment.NotePageCount(made->page_count);
        }
        const Lsn layered_before = segment.layered_up_to();
        segment.NoteLayeredUpTo(cut);
        WriteManifest([this, &segment, replaced, cut, layered_before] {
          segment.job_cut = Lsn(0);
          segment.job_horizon = Lsn(0);
          segment.layer_job = false;
          layer_work_under_way_ = false;
          if (cut > layered_before) {
            segment.ReleaseUpTo(cut);
          }
          RemoveLayerFiles(replaced);
          StartLayerWork();
        });
      });
}

void Node::Core::RemoveLayerFiles(const std::vector<uint64_t>& numbers) {
  if (numbers.empty()) {
    return;
  }
  // What is not removed is an orphan, found at the next start.
  Start(
      Lane::kLayers,
      [files = &files_, directory = config_.directory, numbers] {
        for (const uint64_t number : numbers) {
          files->Remove(directory + "/" + LayerFileName(number)).IgnoreError();
        }
        return Status::Ok();
      },
      [](const Status&) {});
}

}  // namespace borealis::storage_node
