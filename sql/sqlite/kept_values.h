// Values of a subquery by its arguments, for as long as a statement runs. One thread.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace borealis::sql {

// The register so that equal bytes are the same value.
inline void AppendRegister(sqlite3_value* reg, std::string* out) {
  const int type = sqlite3_value_type(reg);
  out->push_back(static_cast<char>(type));
  const auto append = [out](const auto& value) {
    out->append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  switch (type) {
    case SQLITE_NULL:
      break;
    case SQLITE_INTEGER:
      append(sqlite3_value_int64(reg));
      break;
    case SQLITE_FLOAT:
      append(sqlite3_value_double(reg) + 0.0);  // 0 and -0 are one
      break;
    default: {
      const auto* bytes = static_cast<const char*>(sqlite3_value_blob(reg));
      const auto size = static_cast<size_t>(sqlite3_value_bytes(reg));
      append(size);
      out->append(size == 0 ? std::string_view() : std::string_view(bytes, size));
    }
  }
}

class KeptValues {
 public:
  using Value = std::shared_ptr<sqlite3_value>;

  // Null stays null, which is NULL.
  static Value Copy(sqlite3_value* value) { return {sqlite3_value_dup(value), sqlite3_value_free}; }
  bool Find(const std::string& key, Value* value) const {
    const auto found = values_.find(key);
    if (found == values_.end()) {
      return false;
    }
    *value = found->second;
    return true;
  }
  // Keeps it unless there are too many.
  void Add(const std::string& key, const Value& value) {
    if (bytes_ > kBytesMax) {
      return;
    }
    const int type = value != nullptr ? sqlite3_value_type(value.get()) : SQLITE_NULL;
    const bool has_bytes = type == SQLITE_TEXT || type == SQLITE_BLOB;
    bytes_ += key.size() + kEntryBytes +
              (has_bytes ? static_cast<size_t>(sqlite3_value_bytes(value.get())) : 0);
    values_.emplace(key, value);
  }

 private:
  static constexpr size_t kBytesMax = size_t{16} << 20;
  static constexpr size_t kEntryBytes = 160;  // nodes, the register, the share of the table

  std::unordered_map<std::string, Value> values_;
  size_t bytes_ = 0;
};

}  // namespace borealis::sql
