// Instances of a simulated cluster: a writer with a random workload, and a reader fed by it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "storage_client/client_core.h"
#include "storage_client/replica_core.h"
#include "tests/sim/network.h"
#include "tests/sim/oracle.h"
#include "tests/sim/world.h"

namespace borealis::sim {

struct Workload {
  uint64_t pages = 60;             // that the volume grows to
  uint64_t first_pages = 8;        // that it begins with
  uint64_t records_per_page = 12;  // for so many records a page more is in use
  int64_t pause_max_us = 40'000;   // between mini-transactions
  double read_chance = 0.3;        // a page read beside it
  double locality = 0.7;           // of its pages
  size_t records_max = 4;
};

// Drives a NodeMachine in virtual time, as NodeDriver does in real time.
class SimInstance : protected storage_client::NodeLink {
 public:
  // `is_up` says whether a connection to the node can be made now.
  SimInstance(World& world, Network& network, Endpoint endpoint, std::function<bool(NodeId)> is_up);
  ~SimInstance() override;
  void NodeUp(NodeId node);
  void NodeDown(NodeId node);
  Endpoint endpoint() const { return endpoint_; }

 protected:
  void Run(storage_client::NodeMachine* machine);
  void ConnectNode(size_t slot, const StorageNodeAddress& node) override;
  void SendToNode(size_t slot, Frame frame) override;
  virtual void OnSends(const Frame& /*frame*/) {}
  // Runs `what` later unless the instance is gone by then.
  void After(int64_t delay_us, std::function<void()> what);
  void ArmTimer();

  World& world_;
  Network& network_;
  const Endpoint endpoint_;

 private:
  std::optional<size_t> SlotOf(NodeId node) const;

  const std::function<bool(NodeId)> is_up_;
  std::vector<NodeId> nodes_;  // by slot
  storage_client::NodeMachine* machine_ = nullptr;
  int64_t armed_at_us_ = storage_client::kNeverUs;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class SimReader;

class SimWriter final : public SimInstance, private storage_client::ClientEvents {
 public:
  SimWriter(World& world, Network& network, Oracle& oracle,
            const storage_client::VolumeSource& source, const storage_client::ClientLimits& limits,
            const Workload& workload, Endpoint endpoint, std::function<bool(NodeId)> is_up);

  void Open(VolumeEpoch epoch);
  void SetReader(SimReader* reader);
  // LSNs may still be handed out.
  bool has_room() const { return log_->end() - std::max(vdl(), start_) < allocation_bytes_; }
  // Appends one mini-transaction now; its last LSN.
  Lsn AppendOne();
  // Reads a random page at a random read point; `required`: failing is a violation.
  void ReadOne(bool required);
  void ReadAt(PageNo page, Lsn read_point, bool required);
  void StopWorkload() { is_working_ = false; }
  // Control's orders.
  Status OrderSeat(const storage_client::SeatOrder& order);
  Status AddNode(const StorageNodeAddress& node);
  Status SetDraining(NodeId node, bool draining);

  bool is_open() const { return core_.is_open(); }
  bool is_over() const { return is_over_ || core_.is_fenced(); }
  Lsn vdl() const { return core_.vdl(); }
  VolumeEpoch epoch() const { return core_.epoch(); }
  // Of those that had to be answered: others ask in vain for versions that may have been collected.
  size_t required_reads_open() const { return required_reads_open_; }
  // REQUIRES: is_open().
  const Geometry& geometry() const { return core_.geometry(); }
  size_t changing_seats() const { return core_.changing_seats(); }
  std::string Describe() const { return core_.DescribeOpening(); }
  const storage_client::ClientMetrics& metrics() const { return metrics_; }

 private:
  void OnOpened(const storage_client::OpenedVolume& opened) override;
  void OnOpenFailed(Status status) override;
  void OnVdlAdvanced(Lsn vdl, std::span<const storage_client::PgTailAt> changed) override;
  void OnGeometryDecided(const Geometry& geometry) override;
  void OnFenced(Status status) override;
  void OnSends(const Frame& frame) override { oracle_.OnInstanceRequest(frame); }
  // Mostly of one group for a while, so that others are idle.
  PageNo AnyPage();
  void Work();
  void TellReader(std::span<const storage_client::PgTailAt> tails);

  Oracle& oracle_;
  const Workload workload_;
  const uint64_t allocation_bytes_;
  storage_client::ClientMetrics metrics_;
  storage_client::ClientCore core_;
  std::unique_ptr<storage_client::LogBuffer> log_;
  WorldClock clock_;
  Lsn start_;
  bool is_over_ = false;
  bool is_working_ = true;
  uint64_t favourite_ = 0;  // page; its neighbours are written more often
  size_t required_reads_open_ = 0;
  SimReader* reader_ = nullptr;
  bool reader_knows_all_ = false;
};

class SimReader final : public SimInstance {
 public:
  SimReader(World& world, Network& network, Oracle& oracle,
            std::span<const StorageNodeAddress> seeds, const storage_client::ReadLimits& limits,
            const Workload& workload, Endpoint endpoint, std::function<bool(NodeId)> is_up);
  // From the writer's stream, in order.
  void HearGeometry(const Geometry& geometry);
  void Hear(VolumeEpoch epoch, Lsn vdl, std::vector<storage_client::PgTailAt> tails);
  Lsn vdl() const { return core_.vdl(); }

 private:
  void Work();

  Oracle& oracle_;
  const Workload workload_;
  storage_client::ClientMetrics metrics_;
  storage_client::ReplicaCore core_;
};

}  // namespace borealis::sim
