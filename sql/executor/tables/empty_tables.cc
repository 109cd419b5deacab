// System tables that clients ask for and that have nothing to list here: there are no routines,
// events, files, partial grants, histograms or group members.
#include "sql/executor/tables/sql_mode_column.h"
#include "sql/executor/tables/system_rows.h"

namespace borealis::sql {
namespace {

constexpr std::string_view kRoutines =
    "SPECIFIC_NAME varchar(64) NOT NULL, ROUTINE_CATALOG varchar(64) BIN NOT NULL, "
    "ROUTINE_SCHEMA varchar(64) BIN NOT NULL, ROUTINE_NAME varchar(64) NOT NULL, ROUTINE_TYPE "
    "enum('FUNCTION','PROCEDURE') BIN NOT NULL, DATA_TYPE longtext BIN, "
    "CHARACTER_MAXIMUM_LENGTH bigint, CHARACTER_OCTET_LENGTH bigint, NUMERIC_PRECISION int "
    "unsigned, NUMERIC_SCALE int unsigned, DATETIME_PRECISION int unsigned, CHARACTER_SET_NAME "
    "varchar(64), COLLATION_NAME varchar(64), DTD_IDENTIFIER longtext BIN, ROUTINE_BODY "
    "varchar(8) NOT NULL, ROUTINE_DEFINITION longtext BIN, EXTERNAL_NAME varbinary(0), "
    "EXTERNAL_LANGUAGE varchar(64) BIN NOT NULL, PARAMETER_STYLE varchar(3) NOT NULL, "
    "IS_DETERMINISTIC varchar(3) NOT NULL, SQL_DATA_ACCESS enum('CONTAINS SQL','NO SQL','READS "
    "SQL DATA','MODIFIES SQL DATA') BIN NOT NULL, SQL_PATH varbinary(0), SECURITY_TYPE "
    "enum('DEFAULT','INVOKER','DEFINER') BIN NOT NULL, CREATED timestamp NOT NULL, "
    "LAST_ALTERED timestamp NOT NULL, SQL_MODE " BOREALIS_SQL_MODE_COLUMN
    " NOT NULL, "
    "ROUTINE_COMMENT text BIN NOT NULL, DEFINER varchar(288) BIN NOT NULL, "
    "CHARACTER_SET_CLIENT varchar(64) NOT NULL, COLLATION_CONNECTION varchar(64) NOT NULL, "
    "DATABASE_COLLATION varchar(64) NOT NULL";

constexpr std::string_view kParameters =
    "SPECIFIC_CATALOG varchar(64) BIN NOT NULL, SPECIFIC_SCHEMA varchar(64) BIN NOT NULL, "
    "SPECIFIC_NAME varchar(64) NOT NULL, ORDINAL_POSITION bigint unsigned NOT NULL, "
    "PARAMETER_MODE varchar(5) BIN, PARAMETER_NAME varchar(64), DATA_TYPE longtext BIN, "
    "CHARACTER_MAXIMUM_LENGTH bigint, CHARACTER_OCTET_LENGTH bigint, NUMERIC_PRECISION int "
    "unsigned, NUMERIC_SCALE bigint, DATETIME_PRECISION int unsigned, CHARACTER_SET_NAME "
    "varchar(64), COLLATION_NAME varchar(64), DTD_IDENTIFIER mediumtext BIN NOT NULL, "
    "ROUTINE_TYPE enum('FUNCTION','PROCEDURE') BIN NOT NULL";

constexpr std::string_view kEvents =
    "EVENT_CATALOG varchar(64) BIN NOT NULL, EVENT_SCHEMA varchar(64) BIN NOT NULL, EVENT_NAME "
    "varchar(64) NOT NULL, DEFINER varchar(288) BIN NOT NULL, TIME_ZONE varchar(64) BIN NOT "
    "NULL, EVENT_BODY varchar(3) NOT NULL, EVENT_DEFINITION longtext BIN NOT NULL, EVENT_TYPE "
    "varchar(9) NOT NULL, EXECUTE_AT datetime, INTERVAL_VALUE varchar(256), INTERVAL_FIELD "
    "enum('YEAR','QUARTER','MONTH','DAY','HOUR','MINUTE','WEEK',"
    "'SECOND','MICROSECOND','YEAR_MONTH','DAY_HOUR','DAY_MINUTE',"
    "'DAY_SECOND','HOUR_MINUTE','HOUR_SECOND','MINUTE_SECOND',"
    "'DAY_MICROSECOND','HOUR_MICROSECOND','MINUTE_MICROSECOND','SECOND_MICROSECOND') BIN, "
    "SQL_MODE " BOREALIS_SQL_MODE_COLUMN
    " NOT NULL, "
    "STARTS datetime, ENDS datetime, STATUS varchar(21) BIN NOT NULL, ON_COMPLETION "
    "varchar(12) NOT NULL, CREATED timestamp NOT NULL, LAST_ALTERED timestamp NOT NULL, "
    "LAST_EXECUTED datetime, EVENT_COMMENT varchar(2048) BIN NOT NULL, ORIGINATOR int unsigned "
    "NOT NULL, CHARACTER_SET_CLIENT varchar(64) NOT NULL, COLLATION_CONNECTION varchar(64) NOT "
    "NULL, DATABASE_COLLATION varchar(64) NOT NULL";

constexpr std::string_view kFiles =
    "FILE_ID bigint, FILE_NAME text BIN, FILE_TYPE varchar(256), TABLESPACE_NAME varchar(268) "
    "BIN NOT NULL, TABLE_CATALOG varchar(0) NOT NULL, TABLE_SCHEMA varbinary(0), TABLE_NAME "
    "varbinary(0), LOGFILE_GROUP_NAME varchar(256), LOGFILE_GROUP_NUMBER bigint, ENGINE "
    "varchar(64) NOT NULL, FULLTEXT_KEYS varbinary(0), DELETED_ROWS varbinary(0), UPDATE_COUNT "
    "varbinary(0), FREE_EXTENTS bigint, TOTAL_EXTENTS bigint, EXTENT_SIZE bigint, INITIAL_SIZE "
    "bigint, MAXIMUM_SIZE bigint, AUTOEXTEND_SIZE bigint, CREATION_TIME varbinary(0), "
    "LAST_UPDATE_TIME varbinary(0), LAST_ACCESS_TIME varbinary(0), RECOVER_TIME varbinary(0), "
    "TRANSACTION_COUNTER varbinary(0), VERSION bigint, ROW_FORMAT varchar(256), TABLE_ROWS "
    "varbinary(0), AVG_ROW_LENGTH varbinary(0), DATA_LENGTH varbinary(0), MAX_DATA_LENGTH "
    "varbinary(0), INDEX_LENGTH varbinary(0), DATA_FREE bigint, CREATE_TIME varbinary(0), "
    "UPDATE_TIME varbinary(0), CHECK_TIME varbinary(0), CHECKSUM varbinary(0), STATUS "
    "varchar(256), EXTRA varchar(256)";

constexpr std::string_view kColumnStatistics =
    "SCHEMA_NAME varchar(64) BIN NOT NULL, TABLE_NAME varchar(64) BIN NOT NULL, COLUMN_NAME "
    "varchar(64) NOT NULL, HISTOGRAM json NOT NULL";

constexpr std::string_view kResourceGroups =
    "RESOURCE_GROUP_NAME varchar(64) NOT NULL, RESOURCE_GROUP_TYPE enum('SYSTEM','USER') BIN "
    "NOT NULL, RESOURCE_GROUP_ENABLED tinyint(1) NOT NULL, VCPU_IDS blob, THREAD_PRIORITY int "
    "NOT NULL";

constexpr std::string_view kProfiling =
    "QUERY_ID int NOT NULL, SEQ int NOT NULL, STATE varchar(30) NOT NULL, DURATION "
    "decimal(9,6) NOT NULL, CPU_USER decimal(9,6), CPU_SYSTEM decimal(9,6), CONTEXT_VOLUNTARY "
    "int, CONTEXT_INVOLUNTARY int, BLOCK_OPS_IN int, BLOCK_OPS_OUT int, MESSAGES_SENT int, "
    "MESSAGES_RECEIVED int, PAGE_FAULTS_MAJOR int, PAGE_FAULTS_MINOR int, SWAPS int, "
    "SOURCE_FUNCTION varchar(30), SOURCE_FILE varchar(20), SOURCE_LINE int";

constexpr std::string_view kReplicationGroupMembers =
    "CHANNEL_NAME char(64) NOT NULL, MEMBER_ID char(36) COLLATE utf8mb4_bin NOT NULL, "
    "MEMBER_HOST char(255) COLLATE ascii_general_ci NOT NULL, MEMBER_PORT int, MEMBER_STATE "
    "char(64) COLLATE utf8mb4_bin NOT NULL, MEMBER_ROLE char(64) COLLATE utf8mb4_bin NOT NULL, "
    "MEMBER_VERSION char(64) COLLATE utf8mb4_bin NOT NULL, MEMBER_COMMUNICATION_STACK char(64) "
    "COLLATE utf8mb4_bin NOT NULL";

constexpr std::string_view kSetupConsumers =
    "NAME varchar(64) NOT NULL, ENABLED enum('YES','NO') NOT NULL";

constexpr std::string_view kInformation = "information_schema";
constexpr std::string_view kPerformance = "performance_schema";

}  // namespace

std::vector<SystemTableDefinition> EmptySystemTables() {
  return {
      {kInformation, "ROUTINES", kRoutines},
      {kInformation, "PARAMETERS", kParameters},
      {kInformation, "EVENTS", kEvents},
      {kInformation, "FILES", kFiles},
      {kInformation, "COLUMN_STATISTICS", kColumnStatistics},
      {kInformation, "RESOURCE_GROUPS", kResourceGroups},
      {kInformation, "PROFILING", kProfiling},
      {kPerformance, "replication_group_members", kReplicationGroupMembers},
      {kPerformance, "setup_consumers", kSetupConsumers},
  };
}

}  // namespace borealis::sql
