#include "sql/program/program_frame.h"

#include <utility>

#include "row/convert.h"
#include "sql/functions/eval_context.h"
#include "sql/session/session.h"

namespace borealis::sql {

void ProgramFrame::Add(std::string name, row::Type type) {
  names_.push_back(std::move(name));
  values_.push_back({std::move(type), row::Value::Null()});
}

row::Value ProgramFrame::Take(uint32_t slot) {
  return std::exchange(values_[slot].value, row::Value::Null());
}

Status ProgramFrame::Assign(uint32_t slot, const TypedValue& value) {
  TypedValue& variable = values_[slot];
  if (value.value.is_null()) {
    variable.value = row::Value::Null();
    return {};
  }
  row::ConversionContext conversion = session_->eval_context().conversion;
  conversion.column = names_[slot];
  conversion.row_number = 1;
  ASSIGN_OR_RETURN(row::Value stored,
                   row::StoreConvert(value.value, value.type, variable.type, conversion));
  stored.Own();
  variable.value = std::move(stored);
  return {};
}

void ProgramFrame::PutTyped(uint32_t slot, TypedValue value) {
  value.value.Own();
  value.type.nullable = true;
  if (!(values_[slot].type == value.type)) {
    ++types_version_;
  }
  values_[slot] = std::move(value);
}

}  // namespace borealis::sql
