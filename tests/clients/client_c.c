/* libmariadb in C: TLS, prepared statements with bound columns and long data, a server-side cursor, transactions, multi-statements, errors,
 * a failover. usage: client_c PORT */
#include <errmsg.h>
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned port;

static void Fail(const char* what, const char* detail) {
  fprintf(stderr, "%s: %s\n", what, detail);
  exit(1);
}

static void Check(int holds, const char* what) {
  if (!holds) Fail("does not hold", what);
}
#define CHECK(condition) Check(condition, #condition)

static MYSQL* Open(const char* database, unsigned long flags) {
  MYSQL* db = mysql_init(NULL);
  my_bool no = 0;
  my_bool yes = 1;
  mysql_options(db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options(db, MYSQL_OPT_SSL_ENFORCE, &yes);
  mysql_options(db, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
  if (mysql_real_connect(db, "127.0.0.1", "root", "", database, port, NULL, flags) == NULL) Fail("connect", mysql_error(db));
  CHECK(strncmp(mysql_get_ssl_cipher(db), "TLS", 3) == 0);
  return db;
}

static void Run(MYSQL* db, const char* text) {
  if (mysql_query(db, text) != 0) Fail(text, mysql_error(db));
}

static void Refused(MYSQL* db, const char* text, unsigned number, const char* state) {
  CHECK(mysql_query(db, text) != 0);
  if (mysql_errno(db) != number || strcmp(mysql_sqlstate(db), state) != 0) Fail(text, mysql_error(db));
}

static void Reads(MYSQL* db, const char* text, const char* want) {
  Run(db, text);
  MYSQL_RES* result = mysql_store_result(db);
  MYSQL_ROW row = mysql_fetch_row(result);
  if (row == NULL || row[0] == NULL || strcmp(row[0], want) != 0) Fail(text, row == NULL || row[0] == NULL ? "nothing" : row[0]);
  mysql_free_result(result);
}

static MYSQL_STMT* Prepare(MYSQL* db, const char* text) {
  MYSQL_STMT* statement = mysql_stmt_init(db);
  if (mysql_stmt_prepare(statement, text, strlen(text)) != 0) Fail(text, mysql_stmt_error(statement));
  return statement;
}

static void Execute(MYSQL_STMT* statement) {
  if (mysql_stmt_execute(statement) != 0) Fail("execute", mysql_stmt_error(statement));
}

static void Statements(MYSQL* db) {
  Run(db, "CREATE TABLE v (id INT AUTO_INCREMENT PRIMARY KEY, n BIGINT, d DOUBLE, s VARCHAR(40), b LONGBLOB, at DATETIME(6), y YEAR)");
  MYSQL_STMT* insert = Prepare(db, "INSERT INTO v (n, d, s, b, at, y) VALUES (?, ?, ?, ?, ?, ?)");
  CHECK(mysql_stmt_param_count(insert) == 6);
  long long n = -9223372036854775807LL - 1;
  double d = 0.1;
  char s[] = "Zo\xC3\xAB \xF0\x9F\x98\x80'";
  MYSQL_TIME at = {2024, 2, 29, 1, 2, 3, 4, 0, MYSQL_TIMESTAMP_DATETIME};
  short y = 2024;
  MYSQL_BIND in[6] = {0};
  in[0].buffer_type = MYSQL_TYPE_LONGLONG, in[0].buffer = &n;
  in[1].buffer_type = MYSQL_TYPE_DOUBLE, in[1].buffer = &d;
  in[2].buffer_type = MYSQL_TYPE_STRING, in[2].buffer = s, in[2].buffer_length = strlen(s);
  in[3].buffer_type = MYSQL_TYPE_BLOB;
  in[4].buffer_type = MYSQL_TYPE_DATETIME, in[4].buffer = &at;
  in[5].buffer_type = MYSQL_TYPE_SHORT, in[5].buffer = &y;
  CHECK(mysql_stmt_bind_param(insert, in) == 0);
  char chunk[10000];
  memset(chunk, 0xFF, sizeof chunk);
  for (int i = 0; i < 10; ++i) CHECK(mysql_stmt_send_long_data(insert, 3, chunk, sizeof chunk) == 0);
  Execute(insert);
  CHECK(mysql_stmt_affected_rows(insert) == 1 && mysql_stmt_insert_id(insert) == 1);
  CHECK(mysql_stmt_close(insert) == 0);

  MYSQL_STMT* select = Prepare(db, "SELECT n, d, s, LENGTH(b), at, y, NULL FROM v WHERE id = ?");
  int id = 1;
  MYSQL_BIND key = {0};
  key.buffer_type = MYSQL_TYPE_LONG, key.buffer = &id;
  CHECK(mysql_stmt_bind_param(select, &key) == 0);
  Execute(select);
  long long got_n = 0, size = 0, none = 7;
  double got_d = 0;
  char got_s[64] = "";
  unsigned long length = 0;
  MYSQL_TIME got_at = {0};
  short got_y = 0;
  my_bool null = 0;
  MYSQL_BIND out[7] = {0};
  out[0].buffer_type = MYSQL_TYPE_LONGLONG, out[0].buffer = &got_n;
  out[1].buffer_type = MYSQL_TYPE_DOUBLE, out[1].buffer = &got_d;
  out[2].buffer_type = MYSQL_TYPE_STRING, out[2].buffer = got_s, out[2].buffer_length = sizeof got_s, out[2].length = &length;
  out[3].buffer_type = MYSQL_TYPE_LONGLONG, out[3].buffer = &size;
  out[4].buffer_type = MYSQL_TYPE_DATETIME, out[4].buffer = &got_at;
  out[5].buffer_type = MYSQL_TYPE_SHORT, out[5].buffer = &got_y;
  out[6].buffer_type = MYSQL_TYPE_LONGLONG, out[6].buffer = &none, out[6].is_null = &null;
  CHECK(mysql_stmt_bind_result(select, out) == 0);
  CHECK(mysql_stmt_fetch(select) == 0);
  CHECK(got_n == n && got_d == d && length == strlen(s) && memcmp(got_s, s, length) == 0 && size == 100000 && got_y == 2024 && null);
  CHECK(got_at.year == 2024 && got_at.month == 2 && got_at.day == 29 && got_at.hour == 1 && got_at.second_part == 4);
  CHECK(mysql_stmt_fetch(select) == MYSQL_NO_DATA);
  CHECK(mysql_stmt_close(select) == 0);
}

// A parameter that is a DECIMAL stays exact in arithmetic, whatever its size.
static void DecimalParameter(MYSQL* db) {
  MYSQL_STMT* select = Prepare(db, "SELECT ? + 1 = 9007199254740994.5, ? + 0");
  char big[] = "9007199254740993.5", text[64] = "";
  MYSQL_BIND in[2] = {0};
  for (int i = 0; i < 2; ++i) in[i].buffer_type = MYSQL_TYPE_NEWDECIMAL, in[i].buffer = big, in[i].buffer_length = strlen(big);
  CHECK(mysql_stmt_bind_param(select, in) == 0);
  Execute(select);
  long long equal = 0;
  unsigned long length = 0;
  MYSQL_BIND out[2] = {0};
  out[0].buffer_type = MYSQL_TYPE_LONGLONG, out[0].buffer = &equal;
  out[1].buffer_type = MYSQL_TYPE_STRING, out[1].buffer = text, out[1].buffer_length = sizeof text, out[1].length = &length;
  CHECK(mysql_stmt_bind_result(select, out) == 0);
  CHECK(mysql_stmt_fetch(select) == 0);
  CHECK(equal == 1 && strncmp(text, "9007199254740993.5000", 20) == 0);
  MYSQL_RES* columns = mysql_stmt_result_metadata(select);
  CHECK(mysql_fetch_field_direct(columns, 1)->type == MYSQL_TYPE_NEWDECIMAL);
  mysql_free_result(columns);
  CHECK(mysql_stmt_close(select) == 0);
}

static MYSQL_STMT* OpenCursor(MYSQL* db, const char* text, unsigned long prefetch) {
  MYSQL_STMT* statement = Prepare(db, text);
  unsigned long type = CURSOR_TYPE_READ_ONLY;
  CHECK(mysql_stmt_attr_set(statement, STMT_ATTR_CURSOR_TYPE, &type) == 0);
  CHECK(mysql_stmt_attr_set(statement, STMT_ATTR_PREFETCH_ROWS, &prefetch) == 0);
  Execute(statement);
  CHECK(db->server_status & SERVER_STATUS_CURSOR_EXISTS);
  return statement;
}

static void BindNumber(MYSQL_STMT* statement, long long* number) {
  MYSQL_BIND out = {0};
  out.buffer_type = MYSQL_TYPE_LONGLONG, out.buffer = number;
  CHECK(mysql_stmt_bind_result(statement, &out) == 0);
}

/* Two cursors open at once, over commits and changes of their table; rows enough for a temporary file. */
static void Cursors(MYSQL* db) {
  Run(db, "CREATE TABLE many (id BIGINT PRIMARY KEY, filler VARCHAR(400))");
  Run(db, "INSERT INTO many SELECT a.n * 100 + b.n * 10 + c.n + 1, REPEAT('x', 400) FROM (SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 "
          "UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9 UNION SELECT 10 UNION SELECT 11) a, "
          "(SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION "
          "SELECT 9) b, (SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION "
          "SELECT 8 UNION SELECT 9) c");
  MYSQL_STMT* up = OpenCursor(db, "SELECT id, filler FROM many ORDER BY id", 7);
  MYSQL_STMT* down = OpenCursor(db, "SELECT id FROM many ORDER BY id DESC", 1);
  char filler[401] = "";
  long long up_id = 0, down_id = 0;
  MYSQL_BIND out[2] = {0};
  out[0].buffer_type = MYSQL_TYPE_LONGLONG, out[0].buffer = &up_id;
  out[1].buffer_type = MYSQL_TYPE_STRING, out[1].buffer = filler, out[1].buffer_length = sizeof filler;
  CHECK(mysql_stmt_bind_result(up, out) == 0);
  BindNumber(down, &down_id);
  for (int i = 1; i <= 1200; ++i) {
    CHECK(mysql_stmt_fetch(up) == 0 && up_id == i && strlen(filler) == 400);
    CHECK(mysql_stmt_fetch(down) == 0 && down_id == 1201 - i);
    if (i == 10) Run(db, "START TRANSACTION");
    if (i == 20) Run(db, "DELETE FROM many WHERE id > 100");
    if (i == 30) Run(db, "COMMIT");
    if (i == 40) Run(db, "DROP TABLE many");
  }
  CHECK(mysql_stmt_fetch(up) == MYSQL_NO_DATA && mysql_stmt_fetch(down) == MYSQL_NO_DATA);
  CHECK(mysql_stmt_close(up) == 0 && mysql_stmt_close(down) == 0);

  MYSQL_STMT* again = OpenCursor(db, "SELECT 1 UNION SELECT 2 UNION SELECT 3", 1);
  BindNumber(again, &up_id);
  CHECK(mysql_stmt_fetch(again) == 0 && up_id == 1);
  CHECK(mysql_stmt_reset(again) == 0);
  Execute(again);
  CHECK(mysql_stmt_fetch(again) == 0 && up_id == 1 && mysql_stmt_fetch(again) == 0 && up_id == 2);
  CHECK(mysql_stmt_reset(again) == 0);
  Reads(db, "SELECT 5", "5");
  CHECK(mysql_stmt_close(again) == 0);

  MYSQL_STMT* none = OpenCursor(db, "SELECT id FROM v WHERE id < 0", 5);
  BindNumber(none, &up_id);
  CHECK(mysql_stmt_fetch(none) == MYSQL_NO_DATA);
  CHECK(mysql_stmt_close(none) == 0);
}

static void Transactions(MYSQL* db) {
  CHECK(mysql_autocommit(db, 0) == 0);
  for (int i = 0; i < 100; ++i) {
    char text[100];
    snprintf(text, sizeof text, "INSERT INTO v (n, s) VALUES (%d, 'n%d')", i, i);
    Run(db, text);
  }
  CHECK(mysql_commit(db) == 0);
  Run(db, "DELETE FROM v WHERE id > 1");
  CHECK(mysql_affected_rows(db) == 100);
  CHECK(mysql_rollback(db) == 0);
  CHECK(mysql_autocommit(db, 1) == 0);
  Reads(db, "SELECT COUNT(*) FROM v", "101");
  Run(db, "UPDATE v SET n = 5 WHERE id BETWEEN 2 AND 4");
  CHECK(strcmp(mysql_info(db), "Rows matched: 3  Changed: 3  Warnings: 0") == 0);
}

static void Results(MYSQL* db) {
  Run(db, "SELECT 1; DO 0; SELECT 'two'");
  int results = 0;
  do {
    MYSQL_RES* result = mysql_store_result(db);
    results += result != NULL;
    mysql_free_result(result);
  } while (mysql_next_result(db) == 0);
  CHECK(results == 2);
  Run(db, "SELECT id, s AS name FROM v x ORDER BY id");
  MYSQL_RES* result = mysql_use_result(db);
  MYSQL_FIELD* fields = mysql_fetch_fields(result);
  CHECK(fields[0].flags & PRI_KEY_FLAG && fields[0].flags & AUTO_INCREMENT_FLAG && fields[0].type == MYSQL_TYPE_LONG);
  CHECK(strcmp(fields[1].name, "name") == 0 && strcmp(fields[1].org_name, "s") == 0 && strcmp(fields[1].table, "x") == 0 &&
        strcmp(fields[1].org_table, "v") == 0 && strcmp(fields[1].db, "c_client") == 0);
  int rows = 0;
  while (mysql_fetch_row(result) != NULL) ++rows;
  CHECK(rows == 101);
  mysql_free_result(result);
  CHECK(mysql_ping(db) == 0 && mysql_stat(db) != NULL && mysql_get_server_version(db) >= 80000);
  CHECK(mysql_select_db(db, "c_client") == 0 && mysql_reset_connection(db) == 0 && mysql_change_user(db, "root", "", "c_client") == 0);
}

static void Errors(MYSQL* db) {
  Refused(db, "INSERT INTO v (id) VALUES (1)", 1062, "23000");
  Refused(db, "SELECT * FROM nothing", 1146, "42S02");
  Refused(db, "SELEC 1", 1064, "42000");
  Run(db, "SELECT 1/0");
  mysql_free_result(mysql_store_result(db));
  CHECK(mysql_warning_count(db) == 1);
  MYSQL_STMT* statement = mysql_stmt_init(db);
  CHECK(mysql_stmt_prepare(statement, "SELECT nothing FROM v", 21) != 0 && mysql_stmt_errno(statement) == 1054);
  mysql_stmt_close(statement);
}

static void Survive(MYSQL* db) {
  const char* command = getenv("FAILOVER");
  if (command == NULL || command[0] == '\0') return;
  char quiet[4096];
  snprintf(quiet, sizeof quiet, "%s > /dev/null", command);
  CHECK(system(quiet) == 0);
  CHECK(mysql_query(db, "SELECT 1") != 0);
  const unsigned lost = mysql_errno(db);
  if (lost != CR_SERVER_GONE_ERROR && lost != CR_SERVER_LOST && lost != CR_SSL_CONNECTION_ERROR && lost != 1053) Fail("lost", mysql_error(db));
  MYSQL* again = Open("c_client", 0);
  Reads(again, "SELECT COUNT(*) FROM v", "101");
  Run(again, "INSERT INTO v (s) VALUES ('after')");
  mysql_close(again);
}

/* Parameters and results in latin1: \xE9 is an e with acute, C3A9 in UTF-8. */
static void CharacterSets(MYSQL* db) {
  MYSQL* old = Open("c_client", 0);
  CHECK(mysql_set_character_set(old, "latin1") == 0);
  Run(old, "CREATE TABLE cs (a VARCHAR(20), b VARBINARY(20))");
  MYSQL_STMT* insert = Prepare(old, "INSERT INTO cs VALUES (CONCAT(?, '\xE9'), ?)");
  MYSQL_BIND values[2];
  memset(values, 0, sizeof values);
  char text[] = "\xE9\x80";
  values[0].buffer_type = MYSQL_TYPE_STRING;
  values[0].buffer = text;
  values[0].buffer_length = 2;
  values[1].buffer_type = MYSQL_TYPE_BLOB;
  values[1].buffer = text;
  values[1].buffer_length = 2;
  CHECK(mysql_stmt_bind_param(insert, values) == 0);
  Execute(insert);
  mysql_stmt_close(insert);
  Reads(db, "SELECT CONCAT(HEX(a), ' ', HEX(b)) FROM cs", "C3A9E282ACC3A9 E980");
  Reads(old, "SELECT a FROM cs", "\xE9\x80\xE9");
  Reads(old, "SELECT 1 FROM cs WHERE a = '\xE9\x80\xE9'", "1");
  mysql_close(old);
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  port = (unsigned)atoi(argv[1]);
  MYSQL* admin = Open(NULL, 0);
  Run(admin, "DROP DATABASE IF EXISTS c_client");
  Run(admin, "CREATE DATABASE c_client");
  mysql_close(admin);
  MYSQL* db = Open("c_client", CLIENT_MULTI_STATEMENTS);
  Statements(db);
  DecimalParameter(db);
  Cursors(db);
  Transactions(db);
  Results(db);
  Errors(db);
  CharacterSets(db);
  Survive(db);
  mysql_close(db);
  return 0;
}
