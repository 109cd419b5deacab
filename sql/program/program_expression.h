// An expression of a stored program, bound over the program's frame.
//
// What it was bound to serves until a definition, a setting or the type of a slot changes, so that
// a trigger's expressions are bound once for many rows. Used by the session's thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "row/value.h"
#include "sql/ast/node.h"
#include "sql/binder/typed.h"
#include "sql/context/typed_value.h"

namespace borealis::sql {

class BoundQuery;
class CompiledQuery;
class Session;

// What expressions of a program are evaluated with.
struct ProgramContext {
  Session& session;
  std::string_view text;  // of the program: spans are offsets into it
  std::span<const TypedValue> frame;
  uint64_t frame_types = 0;  // changes with the type of any slot
};

class ProgramExpression {
 public:
  explicit ProgramExpression(ExprPtr expr);
  ~ProgramExpression();
  ProgramExpression(ProgramExpression&&) noexcept;
  ProgramExpression& operator=(ProgramExpression&&) = delete;

  // May borrow from the frame.
  Result<TypedValue> Evaluate(const ProgramContext& context);

 private:
  Status Bind(const ProgramContext& context);

  ExprPtr expr_;
  BoundPtr bound_;  // null: to be bound
  uint64_t generation_ = 0;
  uint64_t catalog_version_ = 0;
  uint64_t frame_types_ = 0;
  bool bound_each_time_ = false;
  std::map<const BoundQuery*, std::unique_ptr<CompiledQuery>> subqueries_;
};

}  // namespace borealis::sql
