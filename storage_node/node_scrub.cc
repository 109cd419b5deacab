// Scrub: whatever lies on disk for long is read and verified in a cycle, before it is needed.
//
// A cycle goes through all layers, and the journal files that are full and still needed, in steps
// that are works; scrub_interval_us is how long it is to take, scrub_bytes_per_second how fast it
// may be at most. Where a node begins after its start follows from the wall clock, so that restarts
// do not leave the end of the cycle unread for ever.
//
// A layer that does not verify makes its segment damaged, and so mended from its peers. Of a
// journal file the records are in memory: the segments that need the file are made into layers,
// after which nothing needs it. What the system has cached is not read from the medium again.
#include <algorithm>

#include "base/fault.h"
#include "base/obs/log.h"
#include "storage_node/core.h"

namespace borealis::storage_node {

namespace {
constexpr uint64_t kStepBytes = 1u << 20;
constexpr int64_t kNothingToDoUs = 60'000'000;
}  // namespace

void Node::Core::StepScrub(int64_t now_us) {
  if (scrub_.under_way || now_us < scrub_.not_before_us) {
    return;
  }
  if (scrub_.targets.empty()) {
    BeginScrubCycle();
  }
  if (scrub_.targets.empty()) {
    scrub_.not_before_us = now_us + std::min(kNothingToDoUs, config_.scrub_interval_us);
    return;
  }
  const ScrubTarget& target = scrub_.targets.front();
  if (target.journal_file != 0) {
    ScrubJournal(target.journal_file);
  } else if (Segment* segment = ScrubSegment(target); segment != nullptr) {
    ScrubLayer(target);
  } else {
    EndScrubTarget();  // merged, or dropped
  }
}

void Node::Core::BeginScrubCycle() {
  uint64_t total = 0;
  const auto add = [&](const ScrubTarget& target) {
    scrub_.targets.push_back(target);
    total += target.bytes;
  };
  for (const auto& [id, volume] : volumes_) {
    for (const auto& [pg, held] : volume->segments) {
      for (const LayerInfo& info : held.segment->LayerInfos()) {
        add({id, pg, info.number, 0, info.bytes});
      }
    }
  }
  for (const uint64_t file : journal_.FullFiles()) {
    add({VolumeId(), PgId(), 0, file, config_.journal_file_bytes});
  }
  scrub_.cycle_bytes = total;
  if (scrub_.begun) {
    ++counters_.scrub_cycles;
    return;
  }
  scrub_.begun = true;
  const double part = static_cast<double>(clock_.WallUs() % config_.scrub_interval_us) /
                      static_cast<double>(config_.scrub_interval_us);
  for (auto skip = static_cast<uint64_t>(part * static_cast<double>(total));
       !scrub_.targets.empty() && scrub_.targets.front().bytes <= skip;) {
    skip -= scrub_.targets.front().bytes;
    scrub_.targets.pop_front();
  }
}

// The segment of a target's layer, as long as the layer is one of it and worth looking at.
Segment* Node::Core::ScrubSegment(const ScrubTarget& target) {
  Held* held = FindSegment(target.volume, target.pg);
  if (held == nullptr || held->segment->damaged) {
    return nullptr;
  }
  for (const auto& layer : held->segment->layers()) {
    if (layer->info().number == target.layer) {
      return held->segment.get();
    }
  }
  return nullptr;
}

void Node::Core::EndScrubTarget() {
  scrub_.targets.pop_front();
  scrub_.layer = nullptr;
  scrub_.next_block = 0;
}

// So many bytes were read: when may the next be?
void Node::Core::PaceScrub(uint64_t bytes) {
  counters_.scrubbed_bytes += bytes;
  const double by_interval = static_cast<double>(config_.scrub_interval_us) *
                             static_cast<double>(bytes) /
                             static_cast<double>(std::max<uint64_t>(scrub_.cycle_bytes, 1));
  const double by_rate =
      1e6 * static_cast<double>(bytes) / static_cast<double>(config_.scrub_bytes_per_second);
  scrub_.not_before_us = now() + static_cast<int64_t>(std::max(by_interval, by_rate));
}

void Node::Core::ScrubLayer(const ScrubTarget& target) {
  struct Step {
    std::shared_ptr<Layer> layer;
    size_t next_block = 0;
    uint64_t bytes = 0;
    bool done = false;
  };
  auto step = std::make_shared<Step>();
  step->layer = scrub_.layer;
  step->next_block = scrub_.next_block;
  scrub_.under_way = true;
  Start(
      Lane::kLayers,
      [step, files = &files_,
       path = config_.directory + "/" + LayerFileName(target.layer)]() -> Status {
        if (step->layer == nullptr) {
          ASSIGN_OR_RETURN(step->layer, Layer::OpenPath(*files, path));
        }
        ASSIGN_OR_RETURN(step->bytes, step->layer->Verify(&step->next_block, kStepBytes));
        step->done = step->next_block == step->layer->block_count();
        return Status::Ok();
      },
      [this, step, target](const Status& outcome) {
        scrub_.under_way = false;
        scrub_.layer = step->layer;
        scrub_.next_block = step->next_block;
        PaceScrub(outcome.ok() ? step->bytes : kStepBytes);
        if (Segment* segment = ScrubSegment(target); !outcome.ok() && segment != nullptr) {
          COVER("node.scrub_found_a_bad_layer");
          ++counters_.scrub_damage;
          NoteDamage(*segment, outcome);
        }
        if (!outcome.ok() || step->done) {
          EndScrubTarget();
        }
      });
}

void Node::Core::ScrubJournal(uint64_t file) {
  auto work = journal_.PrepareVerify(file);
  if (work == nullptr) {
    return EndScrubTarget();  // not needed any more
  }
  scrub_.under_way = true;
  Start(Lane::kLayers, std::move(work), [this, file](const Status& outcome) {
    scrub_.under_way = false;
    PaceScrub(config_.journal_file_bytes);
    EndScrubTarget();
    if (!outcome.ok() && journal_.FirstNeeded() <= file) {
      COVER("node.scrub_found_a_bad_journal_file");
      LOG_WARN("node {}: {}; what needs it goes to layers", config_.node.value(),
               outcome.ToString());
      ++counters_.scrub_damage;
      suspect_journal_file_ = std::max(suspect_journal_file_, file);
    }
  });
}

}  // namespace borealis::storage_node
