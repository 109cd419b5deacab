// Cluster status: the JSON keys that other programs rely on, and the screen made from them.
#include "control/status.h"

namespace borealis::control {
namespace {

ClusterStatus Sample() {
  ClusterStatus status;
  status.config.storage_nodes.push_back({"storage-1", 1, "az1", "127.0.0.1", 4001, 4003});
  status.config.instances.push_back({"instance-1", 0, "127.0.0.1", 5001, 6001});
  status.writer = "instance-1";
  status.processes["instance-1"] = {77, "running", ""};
  status.processes["storage-1"] = {0, "stopped", "starts again in 4.0 s"};
  status.processes["endpoint"] = {78, "running", ""};
  InstanceReport report;
  report.state = "serving";
  report.role = "writer";
  status.reports["instance-1"] = report;
  status.segments.push_back({0, "storage-1", 900, "behind", std::nullopt, ""});
  status.segments.push_back({1, "storage-2", 400, "repairing", 41.5, "storage-1"});
  constexpr uint64_t kGiB = uint64_t{1} << 30;
  status.storage["storage-1"] = {
      true, true, 1, 3 * kGiB, {100, 120, 300, 2 * kGiB, 3 * kGiB, 7, 8 * kGiB}};
  status.repair = {3, 12, 0.41, "no other storage node in az1"};
  status.vdl = 1000;
  return status;
}

TEST(StatusTest, HasTheKeysOfTheContract) {
  const std::string json = StatusJson(Sample());
  for (
      const char* part :
      {R"("endpoints":{"cluster":{"host":"127.0.0.1","port":3306},"reader":{"host":"127.0.0.1","port":3307}})",
       R"({"id":"instance-1","role":"writer","tier":0,"pid":77,"host":"127.0.0.1","port":5001,"state":"serving","lag_ms":0E0)",
       R"({"id":"storage-1","az":"az1","pid":0,"host":"127.0.0.1","port":4001,"state":"stopped","reason":"starts again in 4.0 s","metrics_port":4003,"segments":1,"free_bytes":3221225472,"space":{"record_bytes":100,"journal_written_bytes":120,"layer_written_bytes":300,"journal_bytes":2147483648,"layer_bytes":3221225472,"layer_plain_bytes":7,"logical_bytes":8589934592},"draining":true,"in_volume":true})",
       R"("control":{"pid":)", R"("volume":{"epoch":0,"vcl":0,"vdl":1000,"protection_groups":0})",
       R"("segments":[{"pg":0,"node":"storage-1","scl":900,"state":"behind"},{"pg":1,"node":"storage-2","scl":400,"state":"repairing","repaired":4.15E1,"successor_of":"storage-1"}])",
       R"("repair":{"changing":3,"wanted":12,"percent":4.1E1,"blocked":"no other storage node in az1"})"}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << "\nin " << json;
  }
}

TEST(StatusTest, ScreenNamesEveryProcess) {
  auto screen = StatusScreen(StatusJson(Sample()));
  ASSERT_TRUE(screen.ok());
  for (const char* part : {"instance-1", "storage-1", "1 behind", "starts again in 4.0 s",
                           "127.0.0.1:3306", "not serving", "3.0 GiB free",
                           "space             8.0 GiB of pages in 3.0 GiB of layers and 2.0 GiB of "
                           "journals; 4.2 bytes "
                           "written for each of log\n",
                           "draining: 1 segment left",
                           "repairing: 3 of 12 segments, 41 %; waiting: no other storage node"}) {
    EXPECT_NE(screen->find(part), std::string::npos) << part;
  }
  EXPECT_FALSE(StatusScreen("{}").ok());
  EXPECT_FALSE(StatusScreen("nonsense").ok());
}

TEST(StatusTest, SaysWhatWritesWaitFor) {
  ClusterStatus status = Sample();
  EXPECT_NE(StatusJson(status).find(R"("writes":{"state":"going on","reason":""})"),
            std::string::npos);
  EXPECT_EQ(StatusScreen(StatusJson(status))->find("writes wait"), std::string::npos);
  InstanceReport& writer = status.reports["instance-1"];
  writer.write_stall_ms = 12'000;
  writer.write_stall_pg = 3;
  writer.write_stall_nodes = {1};
  const std::string words =
      "protection group 3 is short of a write quorum for 12 s; no acknowledgement from storage-1 "
      "(stopped)";
  const std::string json = StatusJson(status);
  EXPECT_NE(json.find(R"("writes":{"state":"waiting","reason":")" + words), std::string::npos)
      << json;
  EXPECT_NE(StatusScreen(json)->find("writes wait: " + words), std::string::npos);
  EXPECT_NE(StatusTroubles(json).find("writes wait: "), std::string::npos);
  writer.state = "opening";
  writer.reason = "waits for seals";
  EXPECT_NE(StatusJson(status).find(
                R"("writes":{"state":"no writer","reason":"instance-1: waits for seals"})"),
            std::string::npos);
}

TEST(StatusTest, TroublesNameWhatIsNotInOrder) {
  EXPECT_EQ(StatusTroubles(StatusJson(Sample())), "storage-1 stopped (starts again in 4.0 s)");
  EXPECT_EQ(StatusTroubles("nonsense"), "");
}

}  // namespace
}  // namespace borealis::control
