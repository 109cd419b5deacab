// The registry of system variables as the session and the binder see it: typed get and set by
// scope.
//
// The implementation (sql/executor) owns the global values and knows each variable's scope, type,
// limits and default; per-session values are in the Session (its settings, and a list of the rest).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/ast/node.h"
#include "sql/context/settings.h"
#include "sql/context/typed_value.h"

namespace borealis::sql {

class Session;

struct VariableText {
  std::string name;
  std::string value;  // as SHOW VARIABLES prints it
};

// Session values of variables that are not in SessionSettings, by lower-case name.
using OtherVariables = std::map<std::string, std::string, std::less<>>;

class SystemVariables {
 public:
  virtual ~SystemVariables() = default;

  // What a new session starts with: the global values.
  virtual SessionSettings InitialSettings() const = 0;
  // The same of the variables that are not in the settings: those that are not as compiled in.
  virtual OtherVariables InitialOthers() const = 0;
  // SELECT @@[scope.]name. Errors: 1193 unknown, 1238 wrong scope.
  virtual Result<TypedValue> Get(const Session& session, VariableScope scope,
                                 std::string_view name) const = 0;
  // SET [scope] name = value; `value` null pointer for DEFAULT. Errors: 1193, 1228, 1229, 1231,
  // 1232, 1238. May warn in the session's diagnostics.
  virtual Status Set(Session* session, VariableScope scope, std::string_view name,
                     const TypedValue* value) = 0;
  // A global value given on the command line, also of variables that cannot be set later. Errors:
  // 1193, 1231, 1232.
  virtual Status SetAtStart(std::string_view name, std::string_view value) = 0;
  // The global value of an integer or boolean variable; absent when there is none of this name.
  virtual std::optional<uint64_t> IntegerValue(std::string_view name) const = 0;
  // All variables visible in the scope (session or global), by name.
  virtual std::vector<VariableText> List(const Session& session, VariableScope scope) const = 0;
};

}  // namespace borealis::sql
