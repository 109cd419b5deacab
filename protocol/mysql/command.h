// A client's command, decoded: what each COM_* packet says, without meaning.
//
// Strings are owned: a command outlives the input buffer it came in. Packets that are malformed
// give 1835, commands that MySQL 8 no longer has (or never lets clients send) 1047.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "protocol/mysql/constants.h"
#include "protocol/mysql/handshake.h"
#include "protocol/mysql/parameter.h"

namespace borealis::mysql {

struct QuitCommand {};
struct InitDbCommand {
  std::string database;
};
struct QueryCommand {
  std::string text;
  std::vector<NamedParameter> attributes;
};
struct FieldListCommand {
  std::string table;
  std::string wildcard;
};
struct RefreshCommand {
  uint8_t options = 0;
};
struct ShutdownCommand {};
struct StatisticsCommand {};
struct ProcessInfoCommand {};
struct ProcessKillCommand {
  uint32_t thread_id = 0;
};
struct DebugCommand {};
struct PingCommand {};
struct ChangeUserCommand {
  LoginRequest login;
};
struct ResetConnectionCommand {};
struct SetOptionCommand {
  bool multi_statements = false;
};
struct StmtPrepareCommand {
  std::string text;
};
struct StmtExecuteCommand {
  uint32_t statement_id = 0;
  uint8_t flags = 0;  // CursorFlag
  // For ExecuteParameters::Decode, which needs the statement's parameter count.
  std::string parameters;
};
struct StmtSendLongDataCommand {
  uint32_t statement_id = 0;
  uint16_t parameter = 0;
  std::string data;
};
struct StmtCloseCommand {
  uint32_t statement_id = 0;
};
struct StmtResetCommand {
  uint32_t statement_id = 0;
};
struct StmtFetchCommand {
  uint32_t statement_id = 0;
  uint32_t row_count = 0;
};
struct RegisterReplicaCommand {
  uint32_t server_id = 0;
  std::string host;
  std::string user;
  std::string password;
  uint16_t port = 0;
  uint32_t rank = 0;
  uint32_t source_id = 0;
};
struct BinlogDumpCommand {
  uint64_t position = 4;
  uint16_t flags = 0;
  uint32_t server_id = 0;
  std::string file;
  bool by_gtid = false;
  std::string gtid_set;  // encoded, when by_gtid
};

using CommandBody =
    std::variant<QuitCommand, InitDbCommand, QueryCommand, FieldListCommand, RefreshCommand,
                 ShutdownCommand, StatisticsCommand, ProcessInfoCommand, ProcessKillCommand,
                 DebugCommand, PingCommand, ChangeUserCommand, ResetConnectionCommand,
                 SetOptionCommand, StmtPrepareCommand, StmtExecuteCommand, StmtSendLongDataCommand,
                 StmtCloseCommand, StmtResetCommand, StmtFetchCommand, RegisterReplicaCommand,
                 BinlogDumpCommand>;

struct Command {
  CommandCode code = CommandCode::kSleep;
  CommandBody body;
};

// `payload` is a whole packet, command byte included; `capabilities` are the connection's.
Result<Command> ParseCommand(std::string_view payload, uint32_t capabilities);

// As SHOW PROCESSLIST names it: "Query", "Binlog Dump", …
std::string_view CommandName(CommandCode code);

// The command never has an answer (COM_STMT_CLOSE, COM_STMT_SEND_LONG_DATA, COM_QUIT).
bool CommandIsSilent(CommandCode code);

}  // namespace borealis::mysql
