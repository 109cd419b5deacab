// What all syntax nodes share: a kind tag, the span of source text, and checked downcasts.
//
// The tree says what was written, resolved only as far as the grammar goes: no names are looked up
// and no types are known (that is sql/binder). Nodes are plain structs owned by unique_ptr; a tree
// has no pointers into the statement text, so it may outlive it. Identifiers and string values are
// stored decoded (quotes and escapes removed), in the bytes they were written in.
//
// Trees are bounded: the parser refuses nesting beyond ParserOptions::max_nesting and
// max_height, so recursive visitors need no guard of their own. Chains of AND, OR and UNION, which
// are long in practice, are flat lists.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/invariant.h"

namespace borealis::sql {

// Byte offsets into the statement text given to Parse(): [begin, end).
struct Span {
  uint32_t begin = 0;
  uint32_t end = 0;
};

// A family of nodes (Expr, TableRef, QueryBody, Stmt) tagged by its own enum. Each concrete node
// has `static constexpr KindEnum kKind`.
template <class KindEnum>
struct Node {
  explicit Node(KindEnum k) : kind(k) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() = default;

  template <class T>
  bool Is() const {
    return kind == T::kKind;
  }
  // Asking for the wrong kind is a bug and aborts.
  template <class T>
  T& As() {
    INVARIANT(Is<T>());
    return static_cast<T&>(*this);
  }
  template <class T>
  const T& As() const {
    INVARIANT(Is<T>());
    return static_cast<const T&>(*this);
  }
  // Null when the node is of another kind.
  template <class T>
  T* TryAs() {
    return Is<T>() ? static_cast<T*>(this) : nullptr;
  }
  template <class T>
  const T* TryAs() const {
    return Is<T>() ? static_cast<const T*>(this) : nullptr;
  }

  const KindEnum kind;
  Span span;
};

enum class ExprKind : uint8_t;
enum class TableRefKind : uint8_t;
enum class QueryBodyKind : uint8_t;
enum class StmtKind : uint8_t;

using Expr = Node<ExprKind>;
using TableRef = Node<TableRefKind>;
using QueryBody = Node<QueryBodyKind>;
using Stmt = Node<StmtKind>;

using ExprPtr = std::unique_ptr<Expr>;
using TableRefPtr = std::unique_ptr<TableRef>;
using QueryBodyPtr = std::unique_ptr<QueryBody>;
using StmtPtr = std::unique_ptr<Stmt>;

struct Query;
using QueryPtr = std::unique_ptr<Query>;

// schema.name; schema is empty when not written.
struct QualifiedName {
  std::string schema;
  std::string name;
  Span span;
};

// 'user'@'host'. `host` is "%" when not written; CURRENT_USER sets `current_user` and nothing else.
struct AccountName {
  std::string user;
  std::string host = "%";
  bool current_user = false;
};

enum class VariableScope : uint8_t {
  kDefault,  // no scope written: session
  kSession,  // SESSION or LOCAL
  kGlobal,
  kPersist,
  kPersistOnly,
};

}  // namespace borealis::sql
