// Numbers of the MySQL client/server protocol: capabilities, status flags, commands, column types
// and flags. The values are MySQL's; the names are ours.
#pragma once

#include <cstdint>

namespace borealis::mysql {

// Capability bits, exchanged in the handshake; the connection uses those both sides set.
enum Capability : uint32_t {
  kClientLongPassword = 1U << 0,
  kClientFoundRows = 1U << 1,  // affected rows = matched rows, not changed rows
  kClientLongFlag = 1U << 2,
  kClientConnectWithDb = 1U << 3,
  kClientNoSchema = 1U << 4,
  kClientCompress = 1U << 5,
  kClientOdbc = 1U << 6,
  kClientLocalFiles = 1U << 7,
  kClientIgnoreSpace = 1U << 8,
  kClientProtocol41 = 1U << 9,
  kClientInteractive = 1U << 10,  // interactive_timeout instead of wait_timeout
  kClientSsl = 1U << 11,
  kClientIgnoreSigpipe = 1U << 12,
  kClientTransactions = 1U << 13,
  kClientReserved = 1U << 14,
  kClientSecureConnection = 1U << 15,
  kClientMultiStatements = 1U << 16,
  kClientMultiResults = 1U << 17,
  kClientPsMultiResults = 1U << 18,
  kClientPluginAuth = 1U << 19,
  kClientConnectAttrs = 1U << 20,
  kClientPluginAuthLenencData = 1U << 21,
  kClientCanHandleExpiredPasswords = 1U << 22,
  kClientSessionTrack = 1U << 23,
  kClientDeprecateEof = 1U << 24,
  kClientOptionalResultsetMetadata = 1U << 25,
  kClientZstdCompression = 1U << 26,
  kClientQueryAttributes = 1U << 27,
  kClientMultiFactor = 1U << 28,
};

// What this server offers. Absent on purpose: optional metadata, multi-factor authentication.
// LOCAL_FILES is offered always, as MySQL does; whether a client is asked for a file is for
// local_infile to say.
inline constexpr uint32_t kServerCapabilities =
    kClientLongPassword | kClientFoundRows | kClientLongFlag | kClientConnectWithDb |
    kClientNoSchema | kClientCompress | kClientOdbc | kClientLocalFiles | kClientIgnoreSpace |
    kClientProtocol41 | kClientInteractive | kClientIgnoreSigpipe | kClientTransactions |
    kClientReserved | kClientSecureConnection | kClientMultiStatements | kClientMultiResults |
    kClientPsMultiResults | kClientPluginAuth | kClientConnectAttrs | kClientPluginAuthLenencData |
    kClientCanHandleExpiredPasswords | kClientSessionTrack | kClientDeprecateEof |
    kClientQueryAttributes | kClientZstdCompression;

// Status flags of OK and EOF packets.
enum ServerStatus : uint16_t {
  kStatusInTrans = 0x0001,
  kStatusAutocommit = 0x0002,
  kStatusMoreResultsExist = 0x0008,
  kStatusNoGoodIndexUsed = 0x0010,
  kStatusNoIndexUsed = 0x0020,
  kStatusCursorExists = 0x0040,
  kStatusLastRowSent = 0x0080,
  kStatusDbDropped = 0x0100,
  kStatusNoBackslashEscapes = 0x0200,
  kStatusMetadataChanged = 0x0400,
  kStatusQueryWasSlow = 0x0800,
  kStatusPsOutParams = 0x1000,
  kStatusInTransReadonly = 0x2000,
  kStatusSessionStateChanged = 0x4000,
};

enum class CommandCode : uint8_t {
  kSleep = 0x00,
  kQuit = 0x01,
  kInitDb = 0x02,
  kQuery = 0x03,
  kFieldList = 0x04,
  kCreateDb = 0x05,
  kDropDb = 0x06,
  kRefresh = 0x07,
  kShutdown = 0x08,
  kStatistics = 0x09,
  kProcessInfo = 0x0a,
  kConnect = 0x0b,
  kProcessKill = 0x0c,
  kDebug = 0x0d,
  kPing = 0x0e,
  kTime = 0x0f,
  kDelayedInsert = 0x10,
  kChangeUser = 0x11,
  kBinlogDump = 0x12,
  kTableDump = 0x13,
  kConnectOut = 0x14,
  kRegisterSlave = 0x15,
  kStmtPrepare = 0x16,
  kStmtExecute = 0x17,
  kStmtSendLongData = 0x18,
  kStmtClose = 0x19,
  kStmtReset = 0x1a,
  kSetOption = 0x1b,
  kStmtFetch = 0x1c,
  kDaemon = 0x1d,
  kBinlogDumpGtid = 0x1e,
  kResetConnection = 0x1f,
};

enum class ColumnType : uint8_t {
  kDecimal = 0,
  kTiny = 1,
  kShort = 2,
  kLong = 3,
  kFloat = 4,
  kDouble = 5,
  kNull = 6,
  kTimestamp = 7,
  kLongLong = 8,
  kInt24 = 9,
  kDate = 10,
  kTime = 11,
  kDateTime = 12,
  kYear = 13,
  kVarchar = 15,
  kBit = 16,
  kJson = 245,
  kNewDecimal = 246,
  kEnum = 247,
  kSet = 248,
  kTinyBlob = 249,
  kMediumBlob = 250,
  kLongBlob = 251,
  kBlob = 252,
  kVarString = 253,
  kString = 254,
  kGeometry = 255,
};

enum ColumnFlag : uint16_t {
  kFlagNotNull = 0x0001,
  kFlagPrimaryKey = 0x0002,
  kFlagUniqueKey = 0x0004,
  kFlagMultipleKey = 0x0008,
  kFlagBlob = 0x0010,
  kFlagUnsigned = 0x0020,
  kFlagZerofill = 0x0040,
  kFlagBinary = 0x0080,
  kFlagEnum = 0x0100,
  kFlagAutoIncrement = 0x0200,
  kFlagTimestamp = 0x0400,
  kFlagSet = 0x0800,
  kFlagNoDefaultValue = 0x1000,
  kFlagOnUpdateNow = 0x2000,
  kFlagNum = 0x8000,
};

// COM_STMT_EXECUTE flags.
enum CursorFlag : uint8_t {
  kCursorReadOnly = 0x01,
  kCursorForUpdate = 0x02,
  kCursorScrollable = 0x04,
  kParameterCountAvailable = 0x08,  // query attributes are in the packet
};

// Collation ids used by the protocol itself.
inline constexpr uint16_t kCollationBinary = 63;
inline constexpr uint16_t kCollationUtf8mb4 = 255;  // utf8mb4_0900_ai_ci

inline constexpr uint32_t kDefaultMaxAllowedPacket = 64U << 20;
inline constexpr uint32_t kMaxMaxAllowedPacket = 1U << 30;

}  // namespace borealis::mysql
