#include "sql/sqlite/register_io.h"

#include <sqlite3.h>

#include <cmath>

namespace borealis::sql {
namespace {

using row::RegisterKind;

RegisterKind KindOf(int sqlite_type) {
  switch (sqlite_type) {
    case SQLITE_INTEGER:
      return RegisterKind::kInteger;
    case SQLITE_FLOAT:
      return RegisterKind::kReal;
    case SQLITE_TEXT:
      return RegisterKind::kText;
    case SQLITE_BLOB:
      return RegisterKind::kBlob;
    default:
      return RegisterKind::kNull;
  }
}

// Types whose registers hold the value's 64 bits unchanged need no codec.
bool IsPlainInteger(const row::Type& type) {
  return type.is_integer() && !type.is_unsigned;
}

// An empty view may have no address, which would stand for NULL.
const char* AddressOf(const row::Register& reg) {
  return reg.bytes.data() != nullptr ? reg.bytes.data() : "";
}

}  // namespace

Result<row::Value> ValueOf(sqlite3_value* reg, const row::Type& type) {
  int kind = sqlite3_value_type(reg);
  switch (kind) {
    case SQLITE_NULL:
      return row::Value::Null();
    case SQLITE_INTEGER:
      if (IsPlainInteger(type)) {
        return row::Value::Int(sqlite3_value_int64(reg));
      }
      return row::FromRegister(RegisterKind::kInteger, sqlite3_value_int64(reg), 0, {}, type);
    case SQLITE_FLOAT:
      return row::FromRegister(RegisterKind::kReal, 0, sqlite3_value_double(reg), {}, type);
    default: {
      const auto* bytes = static_cast<const char*>(
          kind == SQLITE_TEXT ? static_cast<const void*>(sqlite3_value_text(reg))
                              : sqlite3_value_blob(reg));
      auto size = static_cast<size_t>(sqlite3_value_bytes(reg));
      return row::FromRegister(KindOf(kind), 0, 0, std::string_view(bytes, size), type);
    }
  }
}

Result<row::Value> ColumnValue(sqlite3_stmt* statement, int index, const row::Type& type) {
  int kind = sqlite3_column_type(statement, index);
  switch (kind) {
    case SQLITE_NULL:
      return row::Value::Null();
    case SQLITE_INTEGER:
      if (IsPlainInteger(type)) {
        return row::Value::Int(sqlite3_column_int64(statement, index));
      }
      return row::FromRegister(RegisterKind::kInteger, sqlite3_column_int64(statement, index), 0,
                               {}, type);
    case SQLITE_FLOAT:
      return row::FromRegister(RegisterKind::kReal, 0, sqlite3_column_double(statement, index), {},
                               type);
    default: {
      const auto* bytes = static_cast<const char*>(
          kind == SQLITE_TEXT ? static_cast<const void*>(sqlite3_column_text(statement, index))
                              : sqlite3_column_blob(statement, index));
      auto size = static_cast<size_t>(sqlite3_column_bytes(statement, index));
      return row::FromRegister(KindOf(kind), 0, 0, std::string_view(bytes, size), type);
    }
  }
}

Status SetResult(sqlite3_context* context, const row::Value& value, const row::Type& type) {
  if (value.is_null()) {
    sqlite3_result_null(context);
    return {};
  }
  row::Register reg;
  RETURN_IF_ERROR(row::ToRegister(value, type, &reg));
  switch (reg.kind) {
    case RegisterKind::kNull:
      sqlite3_result_null(context);
      break;
    case RegisterKind::kInteger:
      sqlite3_result_int64(context, reg.integer);
      break;
    case RegisterKind::kReal:
      sqlite3_result_double(context, reg.real);
      break;
    case RegisterKind::kText:
      sqlite3_result_text64(context, AddressOf(reg), reg.bytes.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8);
      break;
    case RegisterKind::kBlob:
      sqlite3_result_blob64(context, AddressOf(reg), reg.bytes.size(), SQLITE_TRANSIENT);
      break;
  }
  return {};
}

Status BindRegister(sqlite3_stmt* statement, int number, const row::Value& value,
                    const row::Type& type) {
  row::Register reg;
  if (!value.is_null()) {
    RETURN_IF_ERROR(row::ToRegister(value, type, &reg));
  }
  int rc = SQLITE_OK;
  switch (reg.kind) {
    case RegisterKind::kNull:
      rc = sqlite3_bind_null(statement, number);
      break;
    case RegisterKind::kInteger:
      rc = sqlite3_bind_int64(statement, number, reg.integer);
      break;
    case RegisterKind::kReal:
      rc = sqlite3_bind_double(statement, number, reg.real);
      break;
    case RegisterKind::kText:
      rc = sqlite3_bind_text64(statement, number, AddressOf(reg), reg.bytes.size(),
                               SQLITE_TRANSIENT, SQLITE_UTF8);
      break;
    case RegisterKind::kBlob:
      rc = sqlite3_bind_blob64(statement, number, AddressOf(reg), reg.bytes.size(),
                               SQLITE_TRANSIENT);
      break;
  }
  if (rc == SQLITE_RANGE) {
    return {};  // the machine found the parameter unused
  }
  return rc == SQLITE_OK ? Status() : Status::Internal("bind parameter");
}

Status AppendLiteral(const row::Value& value, const row::Type& type, std::string* sql) {
  row::Register reg;
  if (!value.is_null()) {
    RETURN_IF_ERROR(row::ToRegister(value, type, &reg));
  }
  auto append_hex = [&](std::string_view bytes) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    sql->append("x'");
    for (char c : bytes) {
      auto byte = static_cast<unsigned char>(c);
      sql->push_back(kDigits[byte >> 4]);
      sql->push_back(kDigits[byte & 15]);
    }
    sql->push_back('\'');
  };
  switch (reg.kind) {
    case RegisterKind::kNull:
      sql->append("NULL");
      break;
    case RegisterKind::kInteger:
      if (reg.integer < 0) {
        sql->append("(" + std::to_string(reg.integer) + ")");
      } else {
        sql->append(std::to_string(reg.integer));
      }
      break;
    case RegisterKind::kReal: {
      if (!std::isfinite(reg.real)) {
        return Status::Internal("a literal that is no number");
      }
      char text[40];
      snprintf(text, sizeof(text), "%.17g", reg.real);
      std::string number(text);
      if (number.find_first_of(".e") == std::string::npos) {
        number += ".0";
      }
      sql->append("(" + number + ")");
      break;
    }
    case RegisterKind::kText:
      if (reg.bytes.find('\0') != std::string_view::npos) {
        sql->append("CAST(");
        append_hex(reg.bytes);
        sql->append(" AS TEXT)");
        break;
      }
      sql->push_back('\'');
      for (char c : reg.bytes) {
        if (c == '\'') {
          sql->push_back('\'');
        }
        sql->push_back(c);
      }
      sql->push_back('\'');
      break;
    case RegisterKind::kBlob:
      append_hex(reg.bytes);
      break;
  }
  return {};
}

}  // namespace borealis::sql
