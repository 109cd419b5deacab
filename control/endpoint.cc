#include "control/endpoint.h"

#include "base/net/forwarder.h"
#include "base/net/transport.h"
#include "base/obs/log.h"
#include "base/os/file.h"
#include "control/cluster_config.h"
#include "control/message_type.h"
#include "control/messages.pb.h"

namespace borealis::control {

namespace {

constexpr const char* kCluster = "cluster";
constexpr const char* kReader = "reader";

std::vector<ForwardTarget> ToTargets(
    const google::protobuf::RepeatedPtrField<msg::Target>& targets) {
  std::vector<ForwardTarget> list;
  for (const msg::Target& target : targets) {
    list.push_back({target.host(), static_cast<uint16_t>(target.port())});
  }
  return list;
}

class Endpoint final : public EndpointProcess, public FrameHandler {
 public:
  Endpoint() : forwarder_(Forwarder::Create()), transport_(Transport::Create(this)) {}
  ~Endpoint() override {
    transport_->Stop();
    forwarder_->Stop();
  }

  Status Begin(const ClusterConfig& config) {
    RETURN_IF_ERROR(forwarder_->Listen(kCluster, config.host, config.cluster_port));
    RETURN_IF_ERROR(forwarder_->Listen(kReader, config.host, config.reader_port));
    RETURN_IF_ERROR(transport_->Listen(config.host, config.endpoint_admin_port).status());
    forwarder_->Start();
    transport_->Start("endpoint");
    return Status::Ok();
  }

  void AddMetrics(MetricsPage* page) const override {
    transport_->AddMetrics(page);
    for (const char* name : {kCluster, kReader}) {
      const Forwarder::Counters counts = forwarder_->counters(name);
      const MetricLabels labels{{"endpoint", name}};
      page->Counter("borealis_endpoint_connections_total", "Client connections accepted.",
                    counts.accepted, labels);
      page->Gauge("borealis_endpoint_connections_open", "Client connections now forwarded.",
                  static_cast<double>(counts.open), labels);
      page->Gauge("borealis_endpoint_connections_waiting",
                  "Client connections that wait for an instance to serve them.",
                  static_cast<double>(counts.waiting), labels);
      page->Counter("borealis_endpoint_connections_refused_total",
                    "Client connections closed because no instance served them in time.",
                    counts.refused, labels);
    }
  }

  void OnFrame(PeerId from, Frame frame) override {
    if (frame.type == static_cast<uint16_t>(MessageType::kEndpointTargets)) {
      msg::EndpointTargets targets;
      if (targets.ParseFromString(frame.body)) {
        forwarder_->SetTargets(kCluster, ToTargets(targets.cluster()));
        forwarder_->SetTargets(kReader, ToTargets(targets.reader()));
        has_targets_ = true;
      }
    } else if (frame.type == static_cast<uint16_t>(MessageType::kEndpointStatusRequest)) {
      const Forwarder::Counters cluster = forwarder_->counters(kCluster);
      const Forwarder::Counters reader = forwarder_->counters(kReader);
      msg::EndpointStatusReply reply;
      reply.set_cluster_open(cluster.open);
      reply.set_cluster_waiting(cluster.waiting);
      reply.set_reader_open(reader.open);
      reply.set_reader_waiting(reader.waiting);
      reply.set_has_targets(has_targets_);
      Frame answer;
      answer.type = static_cast<uint16_t>(MessageType::kEndpointStatusReply);
      answer.request_id = frame.request_id;
      reply.SerializeToString(&answer.body);
      transport_->Send(from, std::move(answer));
    }
  }

 private:
  std::unique_ptr<Forwarder> forwarder_;
  std::unique_ptr<Transport> transport_;
  bool has_targets_ = false;  // on the transport's thread
};

}  // namespace

Result<std::unique_ptr<EndpointProcess>> EndpointProcess::Start(const std::string& directory) {
  ASSIGN_OR_RETURN(const ClusterConfig config, LoadClusterConfig(RealFileSystem(), directory));
  auto endpoint = std::make_unique<Endpoint>();
  RETURN_IF_ERROR(endpoint->Begin(config));
  return std::unique_ptr<EndpointProcess>(std::move(endpoint));
}

}  // namespace borealis::control
