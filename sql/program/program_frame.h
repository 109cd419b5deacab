// The values of a stored program's variables while it runs.
//
// A slot's value is held as its type holds it, so statements take the frame as their parameters.
// Assigning converts as storing into a column of that type does, under the sql_mode in force.
// Used by the session's thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/context/typed_value.h"
#include "sql/session/nested_statement.h"

namespace borealis::sql {

class ProgramCode;
class Session;

class ProgramFrame final : public VariableSlots {
 public:
  explicit ProgramFrame(Session* session) : session_(session) {}

  // Adds the next slot.
  void Add(std::string name, row::Type type);
  // Those up to `size`, which take the type of what is put into them.
  void AddUntyped(size_t size) { values_.resize(size); }

  std::span<const TypedValue> values() const { return values_; }
  const row::Value& value(uint32_t slot) const { return values_[slot].value; }
  // A value of the slot's type, which may be borrowed.
  void Put(uint32_t slot, row::Value value) { values_[slot].value = std::move(value); }
  row::Value Take(uint32_t slot);

  // Errors: those of storing into a column (1264, 1366, 1406, …).
  Status Assign(uint32_t slot, const TypedValue& value) override;
  // Gives the slot the value's type as well.
  void PutTyped(uint32_t slot, TypedValue value);
  // Changes with the type of any slot.
  uint64_t types_version() const { return types_version_; }

 private:
  Session* const session_;
  std::vector<TypedValue> values_;
  std::vector<std::string> names_;
  uint64_t types_version_ = 1;
};

}  // namespace borealis::sql
