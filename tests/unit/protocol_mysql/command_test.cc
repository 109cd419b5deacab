// Commands and bound parameters, from bytes.
#include "protocol/mysql/command.h"

#include "base/mysql_error.h"
#include "protocol/mysql/wire.h"
#include "tests/unit/protocol_mysql/bytes.h"

namespace borealis::mysql {
namespace {

constexpr uint32_t kPlain = kServerCapabilities & ~static_cast<uint32_t>(kClientQueryAttributes);

template <class Body>
Body Parse(const std::string& hex, uint32_t capabilities = kPlain) {
  Result<Command> command = ParseCommand(FromHex(hex), capabilities);
  EXPECT_TRUE(command.ok()) << hex << ": " << command.status().ToString();
  if (!command.ok() || !std::holds_alternative<Body>(command->body)) {
    ADD_FAILURE() << hex << " is another command";
    return Body{};
  }
  return std::get<Body>(command->body);
}

int ErrorOf(const std::string& hex, uint32_t capabilities = kPlain) {
  Result<Command> command = ParseCommand(FromHex(hex), capabilities);
  return command.ok() ? 0 : command.status().user_errno();
}

TEST(CommandTest, SimpleCommands) {
  Parse<QuitCommand>("01");
  EXPECT_EQ(Parse<InitDbCommand>("02 'shop'").database, "shop");
  EXPECT_EQ(Parse<QueryCommand>("03 'select 1'").text, "select 1");
  const auto list = Parse<FieldListCommand>("04 'users' 00 '%'");
  EXPECT_EQ(list.table, "users");
  EXPECT_EQ(list.wildcard, "%");
  Parse<StatisticsCommand>("09");
  Parse<ProcessInfoCommand>("0a");
  EXPECT_EQ(Parse<ProcessKillCommand>("0c 07000000").thread_id, 7U);
  Parse<PingCommand>("0e");
  Parse<ResetConnectionCommand>("1f");
  EXPECT_TRUE(Parse<SetOptionCommand>("1b 0000").multi_statements);
  EXPECT_FALSE(Parse<SetOptionCommand>("1b 0100").multi_statements);
  EXPECT_EQ(Parse<ChangeUserCommand>("11 'u' 00 00 'db' 00").login.database, "db");
}

TEST(CommandTest, PreparedStatementCommands) {
  EXPECT_EQ(Parse<StmtPrepareCommand>("16 'select ?'").text, "select ?");
  const auto execute = Parse<StmtExecuteCommand>("17 01000000 00 01000000 00 01 0800");
  EXPECT_EQ(execute.statement_id, 1U);
  EXPECT_EQ(execute.parameters.size(), 4U);
  const auto data = Parse<StmtSendLongDataCommand>("18 02000000 0300 'blob'");
  EXPECT_EQ(data.parameter, 3);
  EXPECT_EQ(data.data, "blob");
  EXPECT_EQ(Parse<StmtCloseCommand>("19 05000000").statement_id, 5U);
  EXPECT_EQ(Parse<StmtResetCommand>("1a 05000000").statement_id, 5U);
  EXPECT_EQ(Parse<StmtFetchCommand>("1c 05000000 64000000").row_count, 100U);
}

TEST(CommandTest, ReplicationCommands) {
  const auto dump = Parse<BinlogDumpCommand>("12 04000000 0100 2a000000 'binlog.000001'");
  EXPECT_EQ(dump.position, 4U);
  EXPECT_EQ(dump.server_id, 42U);
  EXPECT_EQ(dump.file, "binlog.000001");
  EXPECT_FALSE(dump.by_gtid);
  const auto gtid = Parse<BinlogDumpCommand>(
      "1e 0400 2a000000 03000000 'a.1' 0400000000000000 08000000 0000000000000000");
  EXPECT_TRUE(gtid.by_gtid);
  EXPECT_EQ(gtid.file, "a.1");
  EXPECT_EQ(gtid.gtid_set.size(), 8U);
  const auto replica =
      Parse<RegisterReplicaCommand>("15 02000000 04 'host' 04 'repl' 00 eb0c 00000000 00000000");
  EXPECT_EQ(replica.host, "host");
  EXPECT_EQ(replica.port, 3307);
}

TEST(CommandTest, UnknownAndMalformed) {
  for (const char* hex : {"00", "05", "06", "0b", "0f", "10", "13", "14", "1d", "20", "7f", "ff"}) {
    EXPECT_EQ(ErrorOf(hex), ER_UNKNOWN_COM_ERROR) << hex;
  }
  for (const char* hex : {"", "0c 0700", "04 'users'", "17 0100", "18 01", "19 00", "1b 00",
                          "1c 00000000 00", "12 0400", "11 'u'"}) {
    EXPECT_EQ(ErrorOf(hex), ER_MALFORMED_PACKET) << hex;
  }
}

TEST(CommandTest, QueryAttributes) {
  const auto none = Parse<QueryCommand>("03 00 01 'select 1'", kServerCapabilities);
  EXPECT_EQ(none.text, "select 1");
  const auto query = Parse<QueryCommand>(
      "03 02 01 02 01 fd00 05 'trace' 0800 01 'n' 03 'abc' 'select 1'", kServerCapabilities);
  EXPECT_EQ(query.text, "select 1");
  ASSERT_EQ(query.attributes.size(), 2U);
  EXPECT_EQ(query.attributes[0].name, "trace");
  EXPECT_EQ(query.attributes[0].parameter.value, ParameterValue(std::string("abc")));
  EXPECT_EQ(query.attributes[1].name, "n");
  EXPECT_TRUE(query.attributes[1].parameter.is_null());
  EXPECT_EQ(ErrorOf("03 00 02 'select 1'", kServerCapabilities), ER_MALFORMED_PACKET);
  EXPECT_EQ(ErrorOf("03 feffffffffffffffff 01 00", kServerCapabilities), ER_MALFORMED_PACKET);
}

class ExecuteTest : public testing::Test {
 protected:
  Status Decode(ExecuteParameters& statement, const std::string& hex, uint8_t flags = 0,
                uint32_t capabilities = kPlain) {
    return statement.Decode(FromHex(hex), flags, capabilities, &values_, &attributes_);
  }
  std::vector<Parameter> values_;
  std::vector<NamedParameter> attributes_;
};

TEST_F(ExecuteTest, EveryType) {
  ExecuteParameters statement(13);
  const Status status =
      Decode(statement,
             "0010 01"                                                           // the 13th is NULL
             "0100 0180 0200 0300 0800 0880 0400 0500 0a00 0c00 0b00 fd00 0300"  // types
             "ff ff feff fdffffff fcffffffffffffff ffffffffffffffff 0000c03f 000000000000f8bf"
             "04 e807 02 1d"
             "0b e807 02 1d 0c 1e 0f 40e20100"
             "0c 01 02000000 03 04 05 01000000"
             "05 'hello'");
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(values_[0].value, ParameterValue(int64_t{-1}));
  EXPECT_EQ(values_[1].value, ParameterValue(uint64_t{255}));
  EXPECT_EQ(values_[2].value, ParameterValue(int64_t{-2}));
  EXPECT_EQ(values_[3].value, ParameterValue(int64_t{-3}));
  EXPECT_EQ(values_[4].value, ParameterValue(int64_t{-4}));
  EXPECT_EQ(values_[5].value, ParameterValue(~uint64_t{0}));
  EXPECT_EQ(values_[6].value, ParameterValue(1.5));
  EXPECT_EQ(values_[7].value, ParameterValue(-1.5));
  EXPECT_EQ(values_[8].value, ParameterValue(DateTime{2024, 2, 29, 0, 0, 0, 0}));
  EXPECT_EQ(values_[9].value, ParameterValue(DateTime{2024, 2, 29, 12, 30, 15, 123456}));
  EXPECT_EQ(values_[10].value, ParameterValue(TimeOfDay{true, 51, 4, 5, 1}));
  EXPECT_EQ(values_[11].value, ParameterValue(std::string("hello")));
  EXPECT_TRUE(values_[12].is_null());
}

TEST_F(ExecuteTest, TypesAreRememberedBetweenExecutions) {
  ExecuteParameters statement(1);
  EXPECT_EQ(Decode(statement, "00 00 05000000").user_errno(), ER_WRONG_ARGUMENTS);
  ASSERT_TRUE(Decode(statement, "00 01 0300 05000000").ok());
  EXPECT_EQ(values_[0].value, ParameterValue(int64_t{5}));
  ASSERT_TRUE(Decode(statement, "00 00 06000000").ok());
  EXPECT_EQ(values_[0].value, ParameterValue(int64_t{6}));
  ASSERT_TRUE(Decode(statement, "01 00").ok());
  EXPECT_TRUE(values_[0].is_null());
}

TEST_F(ExecuteTest, LongDataReplacesTheValueOnce) {
  ExecuteParameters statement(2);
  ASSERT_TRUE(statement.AddLongData(0, "first ", 100).ok());
  ASSERT_TRUE(statement.AddLongData(0, "second", 100).ok());
  EXPECT_EQ(statement.AddLongData(2, "x", 100).user_errno(), ER_WRONG_ARGUMENTS);
  EXPECT_EQ(statement.AddLongData(1, std::string(101, 'x'), 100).user_errno(),
            ER_NET_PACKET_TOO_LARGE);
  ASSERT_TRUE(Decode(statement, "00 01 fc00 0800 0700000000000000").ok());
  EXPECT_EQ(values_[0].value, ParameterValue(std::string("first second")));
  EXPECT_EQ(values_[1].value, ParameterValue(int64_t{7}));
  ASSERT_TRUE(Decode(statement, "00 00 01 'x' 0700000000000000").ok());
  EXPECT_EQ(values_[0].value, ParameterValue(std::string("x")));
}

TEST_F(ExecuteTest, AttributesFollowTheParameters) {
  ExecuteParameters statement(1);
  ASSERT_TRUE(Decode(statement, "02 00 01 0300 00 fd00 01 'k' 05000000 01 'v'",
                     kParameterCountAvailable, kServerCapabilities)
                  .ok());
  EXPECT_EQ(values_[0].value, ParameterValue(int64_t{5}));
  ASSERT_EQ(attributes_.size(), 1U);
  EXPECT_EQ(attributes_[0].name, "k");
  EXPECT_EQ(attributes_[0].parameter.value, ParameterValue(std::string("v")));
  ExecuteParameters none(0);
  EXPECT_TRUE(Decode(none, "").ok());
  EXPECT_TRUE(Decode(none, "00", kParameterCountAvailable, kServerCapabilities).ok());
}

TEST_F(ExecuteTest, MalformedValuesAreRefused) {
  for (const char* hex : {"", "00", "00 01", "00 01 03", "00 01 0300 0500", "00 01 0a00 03 000000",
                          "00 01 0c00 07 e807 0d 01 000000", "00 01 fd00 05 'abc'", "00 01 0900 01",
                          "00 01 f000 00"}) {
    ExecuteParameters statement(1);
    EXPECT_EQ(Decode(statement, hex).user_errno(), ER_MALFORMED_PACKET) << hex;
  }
}

}  // namespace
}  // namespace borealis::mysql
