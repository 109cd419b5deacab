#include "protocol/mysql/command.h"

#include "base/mysql_error.h"
#include "protocol/mysql/wire.h"

namespace borealis::mysql {

namespace {

// COM_QUERY with CLIENT_QUERY_ATTRIBUTES: lenenc count, lenenc 1, null bitmap, 1, types and names,
// values, text.
Result<QueryCommand> ParseQuery(WireReader& reader, uint32_t capabilities) {
  QueryCommand query;
  if ((capabilities & kClientQueryAttributes) != 0) {
    const uint64_t count = reader.LenEncInt();
    const uint64_t sets = reader.LenEncInt();
    if (!reader.ok() || sets != 1) {
      return UserError(ER_MALFORMED_PACKET);
    }
    if (count > 0) {
      RETURN_IF_ERROR(DecodeQueryAttributes(reader, count, &query.attributes));
    }
  }
  query.text = reader.Rest();
  return query;
}

RegisterReplicaCommand ParseRegisterReplica(WireReader& reader) {
  RegisterReplicaCommand command;
  command.server_id = reader.Int4();
  command.host = reader.Bytes(reader.Int1());
  command.user = reader.Bytes(reader.Int1());
  command.password = reader.Bytes(reader.Int1());
  command.port = reader.Int2();
  command.rank = reader.Int4();
  command.source_id = reader.Int4();
  return command;
}

BinlogDumpCommand ParseBinlogDump(WireReader& reader) {
  BinlogDumpCommand command;
  command.position = reader.Int4();
  command.flags = reader.Int2();
  command.server_id = reader.Int4();
  command.file = reader.Rest();
  return command;
}

BinlogDumpCommand ParseBinlogDumpGtid(WireReader& reader) {
  BinlogDumpCommand command;
  command.by_gtid = true;
  command.flags = reader.Int2();
  command.server_id = reader.Int4();
  command.file = reader.Bytes(reader.Int4());
  command.position = reader.Int8();
  command.gtid_set = reader.Bytes(reader.Int4());
  return command;
}

StmtExecuteCommand ParseExecute(WireReader& reader) {
  StmtExecuteCommand command;
  command.statement_id = reader.Int4();
  command.flags = reader.Int1();
  reader.Skip(4);  // iteration count, always 1
  command.parameters = reader.Rest();
  return command;
}

FieldListCommand ParseFieldList(WireReader& reader) {
  FieldListCommand command;
  command.table = reader.NulString();
  command.wildcard = reader.Rest();
  return command;
}

StmtSendLongDataCommand ParseLongData(WireReader& reader) {
  StmtSendLongDataCommand command;
  command.statement_id = reader.Int4();
  command.parameter = reader.Int2();
  command.data = reader.Rest();
  return command;
}

StmtFetchCommand ParseFetch(WireReader& reader) {
  StmtFetchCommand command;
  command.statement_id = reader.Int4();
  command.row_count = reader.Int4();
  return command;
}

Result<SetOptionCommand> ParseSetOption(WireReader& reader) {
  const uint16_t option = reader.Int2();
  if (reader.ok() && option > 1) {
    return UserError(ER_UNKNOWN_COM_ERROR);
  }
  return SetOptionCommand{option == 0};
}

// Database names of COM_INIT_DB come with a final NUL from some clients.
std::string WithoutFinalNul(std::string_view name) {
  if (!name.empty() && name.back() == '\0') {
    name.remove_suffix(1);
  }
  return std::string(name);
}

Result<CommandBody> ParseBody(CommandCode code, WireReader& reader, uint32_t capabilities) {
  switch (code) {
    case CommandCode::kQuit:
      return CommandBody(QuitCommand{});
    case CommandCode::kInitDb:
      return CommandBody(InitDbCommand{WithoutFinalNul(reader.Rest())});
    case CommandCode::kQuery: {
      ASSIGN_OR_RETURN(QueryCommand query, ParseQuery(reader, capabilities));
      return CommandBody(std::move(query));
    }
    case CommandCode::kFieldList:
      return CommandBody(ParseFieldList(reader));
    case CommandCode::kRefresh:
      return CommandBody(RefreshCommand{reader.Int1()});
    case CommandCode::kShutdown:
      return CommandBody(ShutdownCommand{});
    case CommandCode::kStatistics:
      return CommandBody(StatisticsCommand{});
    case CommandCode::kProcessInfo:
      return CommandBody(ProcessInfoCommand{});
    case CommandCode::kProcessKill:
      return CommandBody(ProcessKillCommand{reader.Int4()});
    case CommandCode::kDebug:
      return CommandBody(DebugCommand{});
    case CommandCode::kPing:
      return CommandBody(PingCommand{});
    case CommandCode::kChangeUser: {
      ASSIGN_OR_RETURN(LoginRequest login, ParseChangeUser(reader.Rest(), capabilities));
      return CommandBody(ChangeUserCommand{std::move(login)});
    }
    case CommandCode::kResetConnection:
      return CommandBody(ResetConnectionCommand{});
    case CommandCode::kSetOption: {
      ASSIGN_OR_RETURN(SetOptionCommand option, ParseSetOption(reader));
      return CommandBody(option);
    }
    case CommandCode::kStmtPrepare:
      return CommandBody(StmtPrepareCommand{std::string(reader.Rest())});
    case CommandCode::kStmtExecute:
      return CommandBody(ParseExecute(reader));
    case CommandCode::kStmtSendLongData:
      return CommandBody(ParseLongData(reader));
    case CommandCode::kStmtClose:
      return CommandBody(StmtCloseCommand{reader.Int4()});
    case CommandCode::kStmtReset:
      return CommandBody(StmtResetCommand{reader.Int4()});
    case CommandCode::kStmtFetch:
      return CommandBody(ParseFetch(reader));
    case CommandCode::kRegisterSlave:
      return CommandBody(ParseRegisterReplica(reader));
    case CommandCode::kBinlogDump:
      return CommandBody(ParseBinlogDump(reader));
    case CommandCode::kBinlogDumpGtid:
      return CommandBody(ParseBinlogDumpGtid(reader));
    default:
      return UserError(ER_UNKNOWN_COM_ERROR);
  }
}

}  // namespace

Result<Command> ParseCommand(std::string_view payload, uint32_t capabilities) {
  if (payload.empty()) {
    return UserError(ER_MALFORMED_PACKET);
  }
  Command command;
  command.code = static_cast<CommandCode>(payload[0]);
  WireReader reader(payload.substr(1));
  ASSIGN_OR_RETURN(command.body, ParseBody(command.code, reader, capabilities));
  if (!reader.ok()) {
    return UserError(ER_MALFORMED_PACKET);
  }
  return command;
}

std::string_view CommandName(CommandCode code) {
  static constexpr std::string_view kNames[] = {"Sleep",
                                                "Quit",
                                                "Init DB",
                                                "Query",
                                                "Field List",
                                                "Create DB",
                                                "Drop DB",
                                                "Refresh",
                                                "Shutdown",
                                                "Statistics",
                                                "Processlist",
                                                "Connect",
                                                "Kill",
                                                "Debug",
                                                "Ping",
                                                "Time",
                                                "Delayed insert",
                                                "Change user",
                                                "Binlog Dump",
                                                "Table Dump",
                                                "Connect Out",
                                                "Register Replica",
                                                "Prepare",
                                                "Execute",
                                                "Long Data",
                                                "Close stmt",
                                                "Reset stmt",
                                                "Set option",
                                                "Fetch",
                                                "Daemon",
                                                "Binlog Dump GTID",
                                                "Reset Connection"};
  const auto index = static_cast<size_t>(code);
  return index < std::size(kNames) ? kNames[index] : "Error";
}

bool CommandIsSilent(CommandCode code) {
  return code == CommandCode::kStmtClose || code == CommandCode::kStmtSendLongData ||
         code == CommandCode::kQuit;
}

}  // namespace borealis::mysql
