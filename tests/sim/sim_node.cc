#include "tests/sim/sim_node.h"

#include <fmt/format.h>

#include "storage_node/manifest.h"

namespace borealis::sim {

namespace {
constexpr int64_t kTickUs = 10'000;
}

SimNode::SimNode(World& world, Network& network, Oracle& oracle, storage_node::NodeConfig config)
    : world_(world),
      network_(network),
      oracle_(oracle),
      config_(std::move(config)),
      clock_(world),
      files_(std::make_unique<SimFileSystem>(world.random().Next())) {}

SimNode::~SimNode() {
  Stop();
}

bool SimNode::is_broken() const {
  return is_up() && node_->needs_restart();
}

// Whether the node had all it ever promised when it last wrote its manifest.
bool SimNode::ManifestSaysWhole() {
  const Result<std::string> bytes = ReadWholeFile(*files_, config_.directory + "/manifest");
  if (!bytes.ok()) {
    return false;
  }
  const Result<storage_node::Manifest> manifest = storage_node::ParseManifest(*bytes);
  return manifest.ok() && !manifest->amnesiac;
}

void SimNode::Boot() {
  const bool is_whole = ManifestSaysWhole();
  node_ = std::make_unique<storage_node::Node>(config_, *this, *files_, clock_);
  const Status opened = node_->Open();
  world_.Note("boot", endpoint(), opened.ok() ? 1 : 0);
  network_.Attach(endpoint(),
                  [this](Endpoint from, Frame frame) { OnFrame(from, std::move(frame)); });
  if (opened.ok() && node_->amnesiac() && is_whole && !may_forget_) {
    world_.Fail(fmt::format("5: node {} lost what it had, and nothing was done to its disk",
                            config_.node.value()));
  }
  if (opened.ok() && is_sound()) {
    const VolumeId volume(1);
    oracle_.OnNodeRestarted(slot(), node_->Segments(), node_->epoch(volume),
                            node_->geometry_version(volume));
  }
  Tick();
}

void SimNode::Tick() {
  if (world_.now_us() >= hangs_until_us_) {
    node_->OnTimer();
  }
  const uint64_t generation = generation_;
  world_.After(kTickUs, [this, generation] {
    if (generation == generation_ && is_up()) {
      Tick();
    }
  });
}

void SimNode::Stop() {
  ++generation_;
  node_.reset();
  lanes_.clear();
  hangs_until_us_ = 0;
  network_.Detach(endpoint());
}

// A work under way may have had its effect up to any operation.
void SimNode::DoPartOfWork() {
  for (auto& [lane, works] : lanes_) {
    if (!works.empty() && !works.front().has_run && world_.Chance(0.6)) {
      int64_t left = world_.Between(0, 6);
      files_->SetFaultDecider([&left](SimFileSystem::Operation, const std::string&) {
        return --left < 0 ? Status::IoError("the machine is losing power") : Status::Ok();
      });
      works.front().run().IgnoreError();  // nobody is left to hear of it
      files_->SetFaultDecider(nullptr);
    }
  }
}

void SimNode::Kill() {
  world_.Note("kill", endpoint());
  DoPartOfWork();
  Stop();
}

void SimNode::KillBeforeSync() {
  world_.Note("kill before sync", endpoint());
  if (is_flushing()) {
    files_->SetFaultDecider([](SimFileSystem::Operation operation, const std::string&) {
      return operation == SimFileSystem::Operation::kSync
                 ? Status::IoError("the process is being killed")
                 : Status::Ok();
    });
    lanes_[storage_node::Lane::kJournal].front().run().IgnoreError();
    files_->SetFaultDecider(nullptr);
  }
  Stop();
}

// A write of the journal has not reached the disk yet.
bool SimNode::is_flushing() const {
  const auto journal = lanes_.find(storage_node::Lane::kJournal);
  return journal != lanes_.end() && !journal->second.empty() && !journal->second.front().has_run;
}

void SimNode::Crash() {
  world_.Note("crash", endpoint());
  DoPartOfWork();
  Stop();
  if (world_.Chance(0.3)) {
    files_->CrashLosingAll();
  } else {
    files_->Crash();
  }
}

void SimNode::CrashAndLoseDisk() {
  world_.Note("disk lost", endpoint());
  Stop();
  files_ = std::make_unique<SimFileSystem>(world_.random().Next());
  config_.new_cluster = false;  // an empty disk is a lost one from now on
  may_forget_ = true;
  oracle_.ForgetNode(slot());
}

void SimNode::Hang(int64_t for_us) {
  hangs_until_us_ = world_.now_us() + for_us;
}

void SimNode::OnFrame(Endpoint from, Frame frame) {
  if (world_.now_us() < hangs_until_us_) {
    // It sits in the socket until the process goes on.
    const uint64_t generation = generation_;
    world_.After(hangs_until_us_ - world_.now_us(),
                 [this, from, generation, kept = std::move(frame)]() mutable {
                   if (generation == generation_ && is_up()) {
                     OnFrame(from, std::move(kept));
                   }
                 });
    return;
  }
  node_->OnFrame(from, std::move(frame));
}

void SimNode::Send(PeerId to, Frame frame) {
  oracle_.OnNodeReply(slot(), node_->geometry_version(VolumeId(1)), frame);
  network_.Send(endpoint(), to, std::move(frame));
}

void SimNode::SendToNode(NodeId to, Frame frame) {
  network_.Send(endpoint(), to.value(), std::move(frame));
}

void SimNode::Start(storage_node::Lane lane, uint64_t id, std::function<Status()> work) {
  std::deque<Work>& works = lanes_[lane];
  works.push_back({id, std::move(work), Status::Ok(), false});
  if (works.size() == 1) {
    RunNext(lane);
  }
}

// A work takes effect somewhere in its time, and is reported at its end.
void SimNode::RunNext(storage_node::Lane lane) {
  const auto slow = lane_slow_.find(lane);
  const int64_t takes_us =
      world_.Between(100, 1'500) * disk_slow_ * (slow == lane_slow_.end() ? 1 : slow->second);
  const int64_t effect_us = world_.Between(0, takes_us);
  const uint64_t generation = generation_;
  world_.After(effect_us, [this, lane, generation] {
    if (generation == generation_ && is_up()) {
      Work& work = lanes_[lane].front();
      work.outcome = work.run();
      work.has_run = true;
    }
  });
  world_.After(takes_us, [this, lane, generation] {
    if (generation != generation_ || !is_up()) {
      return;
    }
    Work done = std::move(lanes_[lane].front());
    lanes_[lane].pop_front();
    if (!lanes_[lane].empty()) {
      RunNext(lane);
    }
    world_.Note("work", endpoint(), done.id, done.outcome.ok() ? 1 : 0);
    node_->OnWorkDone(done.id, std::move(done.outcome));
  });
}

}  // namespace borealis::sim
