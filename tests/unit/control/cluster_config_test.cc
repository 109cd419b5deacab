// The cluster's configuration file: round trip, other versions, damage.
#include "control/cluster_config.h"

#include <cstdlib>
#include <filesystem>

namespace borealis::control {
namespace {

// Gone with its end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_(::testing::TempDir() + "borealis_config_XXXXXX") {
    ::mkdtemp(path_.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  operator const std::string&() const { return path_; }  // NOLINT(google-explicit-constructor)

 private:
  std::string path_;
};

TEST(ClusterConfigTest, RoundTrips) {
  const TemporaryDirectory directory;
  ClusterConfig config;
  config.cluster_port = 13306;
  config.pages_per_pg = 1024;
  config.options["max_connections"] = "500";
  config.storage_nodes.push_back({"storage-1", 1, "az1", "127.0.0.1", 4001, 4002});
  config.instances.push_back({"instance-1", 3, "127.0.0.1", 5001, 5002, 5003});
  config.secure = true;
  config.control_metrics_port = 6001;
  config.endpoint_metrics_port = 6002;
  ASSERT_TRUE(SaveClusterConfig(RealFileSystem(), directory, config).ok());
  auto loaded = LoadClusterConfig(RealFileSystem(), directory);
  ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
  EXPECT_EQ(loaded->cluster_port, 13306);
  EXPECT_EQ(loaded->pages_per_pg, 1024U);
  EXPECT_EQ(loaded->options.at("max_connections"), "500");
  EXPECT_EQ(loaded->FindStorageNode("storage-1")->az, "az1");
  EXPECT_EQ(loaded->FindInstance("instance-1")->admin_port, 5002);
  EXPECT_EQ(loaded->FindInstance("instance-2"), nullptr);
  EXPECT_TRUE(loaded->secure);
  EXPECT_EQ(loaded->MetricsPort("storage-1"), 4002);
  EXPECT_EQ(loaded->MetricsPort("instance-1"), 5003);
  EXPECT_EQ(loaded->MetricsPort("control"), 6001);
  EXPECT_EQ(loaded->MetricsPort("endpoint"), 6002);
  EXPECT_EQ(loaded->MetricsPort("instance-2"), 0);
}

TEST(ClusterConfigTest, AnotherVersionIsRefusedByName) {
  const TemporaryDirectory directory;
  ASSERT_TRUE(
      WriteWholeFile(RealFileSystem(), ConfigPath(directory), R"({"directory_version": 99})").ok());
  const Status status = LoadClusterConfig(RealFileSystem(), directory).status();
  EXPECT_EQ(status.code(), Code::kInvalidArgument);
  EXPECT_NE(status.message().find("format 99"), std::string::npos);
}

TEST(ClusterConfigTest, DamageIsRefusedWithTheMember) {
  const TemporaryDirectory directory;
  for (const char* text :
       {"", "{", "[]", R"({"directory_version": 2})", R"({"directory_version": 2, "host": 7})"}) {
    ASSERT_TRUE(WriteWholeFile(RealFileSystem(), ConfigPath(directory), text).ok());
    EXPECT_EQ(LoadClusterConfig(RealFileSystem(), directory).status().code(),
              Code::kInvalidArgument)
        << text;
  }
}

TEST(ParseSizeTest, UnitsAndMistakes) {
  EXPECT_EQ(ParseSize("256MiB").value(), uint64_t{256} << 20);
  EXPECT_EQ(ParseSize("2GiB").value(), uint64_t{2} << 30);
  EXPECT_EQ(ParseSize("65536").value(), 65536U);
  for (const char* text : {"", "MiB", "-1", "12XB", "99999999999999999999", "99999999999GiB"}) {
    EXPECT_FALSE(ParseSize(text).ok()) << text;
  }
}

TEST(ClusterConfigTest, OptionsOfControl) {
  EXPECT_TRUE(IsControlOption("storage_repair_after"));
  EXPECT_FALSE(IsControlOption("max_connections"));
  for (const char* value : {"1", "60", "604800"}) {
    EXPECT_TRUE(CheckControlOption("storage_repair_after", value).ok()) << value;
  }
  for (const char* value : {"", "0", "-1", "1.5", "60s", "604801"}) {
    EXPECT_FALSE(CheckControlOption("storage_repair_after", value).ok()) << value;
  }
  EXPECT_EQ(RepairAfterUs({}), 60'000'000);
  EXPECT_EQ(RepairAfterUs({{"storage_repair_after", "2"}}), 2'000'000);
}

}  // namespace
}  // namespace borealis::control
