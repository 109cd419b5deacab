#include "tests/sql/runner/wire_connection.h"

#include <mysql.h>

#include <charconv>
#include <cstdio>

#include "tests/sql/runner/metadata_text.h"

namespace borealis::sqltest {
namespace {

struct Close {
  void operator()(MYSQL* handle) const { mysql_close(handle); }
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};
using Handle = std::unique_ptr<MYSQL, Close>;
using ResultHandle = std::unique_ptr<MYSQL_RES, Close>;

std::string Described(const MYSQL_FIELD& field) {
  ColumnMetadata column;
  column.schema = {field.db, field.db_length};
  column.table = {field.table, field.table_length};
  column.org_table = {field.org_table, field.org_table_length};
  column.name = {field.name, field.name_length};
  column.org_name = {field.org_name, field.org_name_length};
  column.type = field.type;
  column.length = field.length;
  column.decimals = field.decimals;
  column.collation = field.charsetnr;
  column.flags = field.flags;
  return MetadataText(column);
}

class WireConnection final : public TestConnection {
 public:
  explicit WireConnection(Handle handle) : handle_(std::move(handle)) {}

  Outcome Execute(std::string_view statement) override {
    Outcome outcome;
    MYSQL* handle = handle_.get();
    if (mysql_real_query(handle, statement.data(), statement.size()) != 0) {
      return Failed();
    }
    ResultHandle result(mysql_store_result(handle));
    if (result == nullptr && mysql_field_count(handle) != 0) {
      return Failed();
    }
    outcome.warnings = mysql_warning_count(handle);
    if (result == nullptr) {
      outcome.affected_rows = mysql_affected_rows(handle);
      const char* info = mysql_info(handle);
      outcome.metadata.push_back(MetadataText(outcome.affected_rows, mysql_insert_id(handle),
                                              info == nullptr ? "" : info));
      return outcome;
    }
    outcome.has_rows = true;
    unsigned columns = mysql_num_fields(result.get());
    for (unsigned i = 0; i < columns; ++i) {
      outcome.metadata.push_back(Described(*mysql_fetch_field_direct(result.get(), i)));
    }
    while (MYSQL_ROW row = mysql_fetch_row(result.get())) {
      unsigned long* lengths = mysql_fetch_lengths(result.get());
      std::vector<std::string> cells;
      for (unsigned i = 0; i < columns; ++i) {
        cells.push_back(row[i] == nullptr ? "NULL"
                                          : EscapeCell(std::string_view(row[i], lengths[i])));
      }
      outcome.rows.push_back(std::move(cells));
    }
    return mysql_errno(handle) != 0 ? Failed() : outcome;
  }

 private:
  Outcome Failed() {
    Outcome outcome;
    outcome.error = static_cast<int>(mysql_errno(handle_.get()));
    outcome.message = mysql_error(handle_.get());
    return outcome;
  }

  Handle handle_;
};

Handle Open(const WireServer& server, const std::string& user, const std::string& password,
            std::string* problem) {
  Handle handle(mysql_init(nullptr));
  // The library has no name for MySQL 8.0's default collation.
  mysql_options(handle.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options(handle.get(), MYSQL_INIT_COMMAND, "SET NAMES utf8mb4");
  const unsigned sends_files = 1;
  mysql_options(handle.get(), MYSQL_OPT_LOCAL_INFILE, &sends_files);
  if (mysql_real_connect(handle.get(), server.host.c_str(), user.c_str(), password.c_str(), nullptr,
                         server.port, nullptr, 0) == nullptr) {
    *problem = std::to_string(mysql_errno(handle.get())) + ": " + mysql_error(handle.get());
    return nullptr;
  }
  return handle;
}

}  // namespace

bool ParseWireServer(std::string_view text, WireServer* server) {
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return false;
  }
  server->host = text.substr(0, colon);
  const char* end = text.data() + text.size();
  auto [stopped, error] = std::from_chars(text.data() + colon + 1, end, server->port);
  return error == std::errc() && stopped == end;
}

std::string EmptyTestSchema(const WireServer& server) {
  std::string problem;
  Handle handle = Open(server, "root", "", &problem);
  for (const char* statement : {"DROP DATABASE IF EXISTS test", "CREATE DATABASE test"}) {
    if (handle != nullptr && mysql_query(handle.get(), statement) != 0) {
      return std::string(statement) + ": " + mysql_error(handle.get());
    }
  }
  return problem;
}

std::unique_ptr<TestConnection> ConnectOverWire(const WireServer& server, const std::string& user,
                                                const std::string& password) {
  std::string problem;
  Handle handle = Open(server, user, password, &problem);
  // Not everybody may use the schema; who may not has none.
  if (handle != nullptr && mysql_select_db(handle.get(), "test") != 0 &&
      mysql_errno(handle.get()) != 1044) {
    problem = mysql_error(handle.get());
  }
  if (!problem.empty()) {
    fprintf(stderr, "%s\n", problem.c_str());
    return nullptr;
  }
  return std::make_unique<WireConnection>(std::move(handle));
}

}  // namespace borealis::sqltest
