// The manager's decisions, driven by a script: starts, failovers, restarts, endpoints.
#include "control/manager.h"

#include <algorithm>
#include <set>

namespace borealis::control {
namespace {

constexpr int64_t kSecond = 1'000'000;

ClusterConfig Config(int instance_count) {
  ClusterConfig config;
  config.storage_nodes.push_back({"storage-1", 1, "az1", "127.0.0.1", 4001});
  for (int i = 1; i <= instance_count; ++i) {
    config.instances.push_back({"instance-" + std::to_string(i), i, "127.0.0.1",
                                static_cast<uint16_t>(5000 + i), static_cast<uint16_t>(6000 + i)});
  }
  return config;
}

// Plays the world: processes start when asked, and take the role that they are told.
class World : public ManagerEnvironment {
 public:
  explicit World(int instance_count, const std::string& last_writer = "")
      : manager(Config(instance_count), ManagerTimings(), last_writer, this) {}

  void Start(const std::string& name) override { started.push_back(name); }
  void Terminate(const std::string& name) override {
    if (!deaf.contains(name)) {
      gone.insert(name);
    }
  }
  void Kill(const std::string& name) override {
    killed.push_back(name);
    gone.insert(name);
  }
  void AssumeRole(const std::string& instance, const std::string& role,
                  const std::string& writer) override {
    if (role == "writer") {
      EXPECT_EQ(writer, instance);
      for (const auto& [other, told] : roles) {  // INV-CTL-1
        EXPECT_TRUE(other == instance || told != "writer" || !manager.running(other))
            << other << " and " << instance;
      }
    }
    roles[instance] = role;
  }
  void Retire(const std::string& instance) override {
    if (!lose_retire) {
      gone.insert(instance);
    }
  }
  void SetEndpointTargets(const std::vector<ForwardTarget>& cluster,
                          const std::vector<ForwardTarget>& reader) override {
    cluster_targets = cluster;
    reader_targets = reader;
  }
  void SaveWriter(const std::string& instance) override { saved_writer = instance; }

  // Lets `duration_us` pass; `silent` instances do not answer.
  void Run(int64_t duration_us) {
    for (int64_t end_us = now_us + duration_us; now_us < end_us; now_us += 50'000) {
      for (const std::string& name : std::set<std::string>(gone)) {
        gone.erase(name);
        roles.erase(name);
        manager.OnProcessGone(name, now_us);
      }
      for (const InstanceConfig& instance : Config(9).instances) {
        if (instance.port > 5000 + count || !manager.running(instance.id) ||
            silent.contains(instance.id)) {
          continue;
        }
        InstanceReport report;
        if (roles.contains(instance.id)) {
          report.role = roles.at(instance.id);
          report.state = cannot_serve.contains(instance.id) ? "opening" : "serving";
          report.can_read = report.role == "reader";
          report.write_stall_ms =
              stalled_since_us.contains(instance.id)
                  ? static_cast<uint64_t>((now_us - stalled_since_us.at(instance.id)) / 1000)
                  : 0;
        }
        manager.OnInstanceReport(instance.id, report, now_us);
      }
      for (const char* name : {"storage-1", "endpoint"}) {
        if (!silent.contains(name)) {
          manager.OnAnswer(name, /*in_order=*/true, now_us);
        }
      }
      manager.OnTick(now_us);
    }
  }
  void Crash(const std::string& name) { gone.insert(name); }

  int count = 9;
  int64_t now_us = kSecond;
  std::vector<std::string> started;
  std::vector<std::string> killed;
  std::set<std::string> gone;
  std::set<std::string> silent;
  std::set<std::string> cannot_serve;
  std::set<std::string> deaf;  // to being told to stop
  std::map<std::string, int64_t> stalled_since_us;
  bool lose_retire = false;
  std::map<std::string, std::string> roles;
  std::vector<ForwardTarget> cluster_targets;
  std::vector<ForwardTarget> reader_targets;
  std::string saved_writer;
  ClusterManager manager;
};

struct Started {
  explicit Started(int instance_count) : world(instance_count) {
    world.count = instance_count;
    world.Run(2 * kSecond);
  }
  World world;
};

TEST(ClusterManagerTest, StartsEverythingAndPointsTheEndpoints) {
  Started s(2);
  EXPECT_TRUE(s.world.manager.serving());
  EXPECT_EQ(s.world.manager.writer(), "instance-1");
  EXPECT_EQ(s.world.saved_writer, "instance-1");
  EXPECT_EQ(s.world.cluster_targets, (std::vector<ForwardTarget>{{"127.0.0.1", 5001}}));
  EXPECT_EQ(s.world.reader_targets, (std::vector<ForwardTarget>{{"127.0.0.1", 5002}}));
  EXPECT_EQ(s.world.started.size(), 4U);
}

TEST(ClusterManagerTest, ReaderEndpointFallsBackToTheWriter) {
  Started s(1);
  EXPECT_EQ(s.world.reader_targets, s.world.cluster_targets);
  EXPECT_EQ(s.world.cluster_targets.size(), 1U);
}

TEST(ClusterManagerTest, PromotesTheLowestTierAndBringsTheOldWriterBackAsReader) {
  Started s(3);
  s.world.Crash("instance-1");
  s.world.Run(kSecond / 5);
  EXPECT_EQ(s.world.manager.writer(), "instance-2");
  EXPECT_EQ(s.world.roles.at("instance-2"), "writer");
  s.world.Run(3 * kSecond);
  EXPECT_EQ(s.world.roles.at("instance-1"), "reader");
  EXPECT_EQ(s.world.cluster_targets, (std::vector<ForwardTarget>{{"127.0.0.1", 5002}}));
}

TEST(ClusterManagerTest, NoReaderGivesUpItsReadsForAVolumeThatNobodyCanOpen) {
  Started s(2);
  s.world.manager.SetVolumeWritable(false);
  s.world.cannot_serve = {"instance-1", "instance-2"};
  s.world.Crash("instance-1");
  s.world.Run(5 * kSecond);
  EXPECT_EQ(s.world.manager.writer(), "instance-1");
  EXPECT_EQ(s.world.roles.at("instance-1"), "writer");  // and it waits
  EXPECT_EQ(s.world.roles.at("instance-2"), "reader");
  EXPECT_EQ(s.world.reader_targets, (std::vector<ForwardTarget>{{"127.0.0.1", 5002}}));
  EXPECT_FALSE(s.world.manager.serving());
  s.world.manager.SetVolumeWritable(true);
  s.world.cannot_serve.clear();
  s.world.Run(kSecond);
  EXPECT_TRUE(s.world.manager.serving());
  // One that the operator has put down does not come back to wait.
  s.world.manager.SetVolumeWritable(false);
  EXPECT_TRUE(s.world.manager.KillByName("instance-1", s.world.now_us).ok());
  s.world.Run(kSecond);
  EXPECT_EQ(s.world.manager.writer(), "instance-2");
}

TEST(ClusterManagerTest, AWriterThatIsCutOffFromStorageIsDeposed) {
  Started s(2);
  s.world.stalled_since_us["instance-1"] = s.world.now_us;
  s.world.Run(9 * kSecond);
  EXPECT_EQ(s.world.manager.writer(), "instance-1");
  s.world.Run(2 * kSecond);
  EXPECT_EQ(s.world.killed, std::vector<std::string>{"instance-1"});
  EXPECT_EQ(s.world.manager.writer(), "instance-2");
  EXPECT_TRUE(s.world.manager.serving());
  // The other one cannot do better: not to and fro.
  s.world.stalled_since_us.clear();
  s.world.stalled_since_us["instance-2"] = s.world.now_us;
  s.world.Run(40 * kSecond);
  EXPECT_EQ(s.world.manager.writer(), "instance-2");
  s.world.Run(30 * kSecond);
  EXPECT_EQ(s.world.manager.writer(), "instance-1");
}

TEST(ClusterManagerTest, AWriterThatWaitsForStorageItselfIsNotDeposedNorWhenThatComesBack) {
  Started s(2);
  s.world.stalled_since_us["instance-1"] = s.world.now_us;
  s.world.manager.SetVolumeWritable(false);
  s.world.Run(30 * kSecond);
  EXPECT_EQ(s.world.manager.writer(), "instance-1");
  s.world.manager.SetVolumeWritable(true);
  s.world.Run(5 * kSecond);  // it has some time to go on
  EXPECT_EQ(s.world.manager.writer(), "instance-1");
  s.world.stalled_since_us.clear();
  s.world.Run(20 * kSecond);
  EXPECT_EQ(s.world.manager.writer(), "instance-1");
}

TEST(ClusterManagerTest, TheOnlyInstanceIsRestartedWithoutDelay) {
  Started s(1);
  s.world.Crash("instance-1");
  s.world.Run(kSecond / 5);
  EXPECT_EQ(s.world.started.back(), "instance-1");
  EXPECT_TRUE(s.world.manager.serving());
}

size_t CountOf(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<size_t>(std::count(names.begin(), names.end(), name));
}

TEST(ClusterManagerTest, AWriterThatCannotOpenBacksOff) {
  Started s(1);
  s.world.cannot_serve.insert("instance-1");
  s.world.started.clear();
  for (int i = 0; i < 600; ++i) {  // whenever it is there, it dies
    if (s.world.manager.running("instance-1")) {
      s.world.Crash("instance-1");
    }
    s.world.Run(kSecond / 10);
  }
  // At once, then after 0.5, 1, 2, 4, 8, 10, 10 … seconds: about ten times in a minute.
  EXPECT_LE(CountOf(s.world.started, "instance-1"), 12U);
  EXPECT_GE(CountOf(s.world.started, "instance-1"), 8U);
  EXPECT_TRUE(s.world.manager.IsFailing("instance-1"));
  s.world.cannot_serve.clear();
  s.world.Run(15 * kSecond);
  EXPECT_TRUE(s.world.manager.serving());
  EXPECT_FALSE(s.world.manager.IsFailing("instance-1"));
}

TEST(ClusterManagerTest, AHungEndpointOrStorageNodeIsKilled) {
  Started s(2);
  s.world.silent = {"endpoint", "storage-1"};
  s.world.Run(5 * kSecond);
  EXPECT_EQ(CountOf(s.world.killed, "endpoint"), 1U);
  EXPECT_EQ(CountOf(s.world.killed, "storage-1"), 0U);  // five others serve: no hurry
  s.world.Run(30 * kSecond);
  EXPECT_EQ(CountOf(s.world.killed, "storage-1"), 1U);
}

TEST(ClusterManagerTest, RetiresAgainWhenTheOrderIsLost) {
  Started s(2);
  s.world.lose_retire = true;
  ASSERT_TRUE(s.world.manager.Failover("", s.world.now_us).ok());
  s.world.Run(kSecond);
  EXPECT_EQ(s.world.manager.writer(), "instance-1");
  s.world.lose_retire = false;
  s.world.Run(kSecond);
  EXPECT_EQ(s.world.manager.writer(), "instance-2");
}

TEST(ClusterManagerTest, ShutDownKillsWhoDoesNotStop) {
  Started s(2);
  s.world.deaf = {"instance-2", "storage-1"};
  s.world.manager.ShutDown(s.world.now_us);
  s.world.Run(30 * kSecond);
  EXPECT_TRUE(s.world.manager.all_gone());
  EXPECT_EQ(s.world.killed, (std::vector<std::string>{"instance-2", "storage-1"}));
}

TEST(ClusterManagerTest, AHungWriterIsKilledBeforeAnotherIsPromoted) {
  Started s(2);
  s.world.silent.insert("instance-1");
  s.world.Run(5 * kSecond);
  ASSERT_FALSE(s.world.killed.empty());
  EXPECT_EQ(s.world.killed.front(), "instance-1");
  EXPECT_EQ(s.world.manager.writer(), "instance-2");
}

TEST(ClusterManagerTest, APauseOfControlKillsNobody) {
  Started s(2);
  s.world.now_us += 600 * kSecond;
  s.world.manager.OnTick(s.world.now_us);
  s.world.Run(kSecond);
  EXPECT_TRUE(s.world.killed.empty());
  EXPECT_EQ(s.world.manager.writer(), "instance-1");
}

TEST(ClusterManagerTest, FailoverByCommandGoesToTheTarget) {
  Started s(3);
  ASSERT_TRUE(s.world.manager.Failover("instance-3", s.world.now_us).ok());
  s.world.Run(kSecond / 2);
  EXPECT_EQ(s.world.manager.writer(), "instance-3");
  EXPECT_TRUE(s.world.manager.serving());
  EXPECT_EQ(s.world.manager.Failover("nobody", s.world.now_us).code(), Code::kNotFound);
  EXPECT_EQ(s.world.manager.Failover("instance-3", s.world.now_us).code(), Code::kInvalidArgument);
}

TEST(ClusterManagerTest, WhatTheOperatorKilledStaysDown) {  // INV-CTL-3
  Started s(2);
  ASSERT_TRUE(s.world.manager.KillByName("storage-1", s.world.now_us).ok());
  s.world.Run(60 * kSecond);
  EXPECT_FALSE(s.world.manager.running("storage-1"));
  ASSERT_TRUE(s.world.manager.StartByName("storage-1", s.world.now_us).ok());
  s.world.Run(kSecond);
  EXPECT_TRUE(s.world.manager.running("storage-1"));
  EXPECT_EQ(s.world.manager.StartByName("storage-9", s.world.now_us).code(), Code::kNotFound);
}

TEST(ClusterManagerTest, ShutDownStopsInstancesBeforeStorage) {
  Started s(2);
  s.world.manager.ShutDown(s.world.now_us);
  EXPECT_TRUE(s.world.gone.contains("instance-1"));
  EXPECT_FALSE(s.world.gone.contains("storage-1"));
  s.world.Run(kSecond);
  EXPECT_TRUE(s.world.manager.all_gone());
  const size_t started = s.world.started.size();
  s.world.Run(60 * kSecond);
  EXPECT_EQ(s.world.started.size(), started);
}

TEST(ClusterManagerTest, RemembersTheWriterOverARestartOfControl) {
  World world(3, "instance-2");
  world.count = 3;
  for (const char* name : {"instance-1", "instance-2", "instance-3", "storage-1", "endpoint"}) {
    world.manager.AdoptRunning(name, world.now_us);
  }
  world.Run(kSecond);
  EXPECT_TRUE(world.started.empty());
  EXPECT_EQ(world.roles.at("instance-2"), "writer");
  EXPECT_EQ(world.roles.at("instance-1"), "reader");
}

TEST(ClusterManagerTest, StorageNodesComeAndGo) {
  World world(1);
  world.manager.AddStorageNode("storage-2");
  world.manager.OnTick(0);
  EXPECT_EQ(std::count(world.started.begin(), world.started.end(), "storage-2"), 1);
  EXPECT_TRUE(world.manager.KillByName("storage-2", kSecond).ok());
  world.manager.OnProcessGone("storage-2", kSecond);
  world.manager.ForgetStorageNode("storage-2");
  world.manager.OnTick(60 * kSecond);
  EXPECT_EQ(std::count(world.started.begin(), world.started.end(), "storage-2"), 1);
  EXPECT_EQ(world.manager.StartByName("storage-2", 61 * kSecond).code(), Code::kNotFound);
}

}  // namespace
}  // namespace borealis::control
