// WITH RECURSIVE: a common table expression that names itself.
//
// It is a UNION whose first blocks (the anchor) do not name it and whose other blocks do: each of
// these once, in its own FROM, and without what would need all rows at once (aggregation, windows,
// ORDER BY, LIMIT, DISTINCT). SQLite asks for the same and says it in its own words, so everything
// is checked here. The columns are those of the first block.
#include "sql/binder/binder_internal.h"

namespace borealis::sql {
namespace {

// Whether the body names `table` in a FROM at its top level or inside joins and nested bodies.
bool Mentions(const QueryBody& body, std::string_view table);

bool Mentions(const TableRef& ref, std::string_view table) {
  switch (ref.kind) {
    case TableRefKind::kTable: {
      const auto& named = ref.As<TableRefName>();
      return named.table.schema.empty() && SameName(named.table.name, table);
    }
    case TableRefKind::kJoin: {
      const auto& join = ref.As<JoinedTable>();
      return Mentions(*join.left, table) || Mentions(*join.right, table);
    }
    case TableRefKind::kDerived:
      return Mentions(*ref.As<DerivedTable>().query->body, table);
    case TableRefKind::kJsonTable:
      return false;
  }
  return false;
}

bool Mentions(const QueryBody& body, std::string_view table) {
  switch (body.kind) {
    case QueryBodyKind::kSelect:
      for (const TableRefPtr& ref : body.As<SelectCore>().from) {
        if (Mentions(*ref, table)) {
          return true;
        }
      }
      return false;
    case QueryBodyKind::kTable: {
      const auto& core = body.As<TableCore>();
      return core.table.schema.empty() && SameName(core.table.name, table);
    }
    case QueryBodyKind::kNested:
      return Mentions(*body.As<NestedQuery>().query->body, table);
    case QueryBodyKind::kSetOperation: {
      const auto& operation = body.As<SetOperation>();
      bool any = Mentions(*operation.first, table);
      for (const SetOperation::Arm& arm : operation.rest) {
        any |= Mentions(*arm.body, table);
      }
      return any;
    }
    case QueryBodyKind::kValues:
      return false;
  }
  return false;
}

// The query's own body, without parentheses around it.
const QueryBody& Unwrapped(const QueryBody& body) {
  return body.kind == QueryBodyKind::kNested ? Unwrapped(*body.As<NestedQuery>().query->body)
                                             : body;
}

bool IsOrderedOrLimited(const QueryBody& body) {
  if (body.kind != QueryBodyKind::kNested) {
    return false;
  }
  const Query& query = *body.As<NestedQuery>().query;
  return !query.order_by.empty() || query.limit.has_value() || IsOrderedOrLimited(*query.body);
}

// A block that names the table and is itself several blocks in parentheses.
Status CheckNested(const SetOperation& nested, std::string_view table) {
  bool all = Mentions(*nested.first, table);
  for (const SetOperation::Arm& arm : nested.rest) {
    if (arm.op != SetOperator::kUnion) {
      return UserError(ER_CTE_RECURSIVE_NOT_UNION);
    }
    all = all && Mentions(*arm.body, table);
  }
  return all ? UserError(ER_NOT_SUPPORTED_YET,
                         "UNION in a block of a recursive common table expression")
             : UserError(ER_CTE_RECURSIVE_REQUIRES_NONRECURSIVE_FIRST, table);
}

// Blocks that name the table follow the ones that do not; nothing but UNION combines them.
Status CheckOrder(const SetOperation& operation, std::string_view table) {
  if (Mentions(*operation.first, table)) {
    return UserError(ER_CTE_RECURSIVE_REQUIRES_NONRECURSIVE_FIRST, table);
  }
  bool recursive = false;
  for (const SetOperation::Arm& arm : operation.rest) {
    const bool mentions = Mentions(*arm.body, table);
    if (mentions && arm.op != SetOperator::kUnion) {
      return UserError(ER_CTE_RECURSIVE_NOT_UNION);
    }
    if (recursive && !mentions) {
      return UserError(ER_CTE_RECURSIVE_REQUIRES_NONRECURSIVE_FIRST, table);
    }
    if (const auto* nested = Unwrapped(*arm.body).TryAs<SetOperation>();
        mentions && nested != nullptr) {
      return CheckNested(*nested, table);
    }
    recursive = mentions;
  }
  return {};
}

int CountIn(const BoundFrom* from, const BoundCte* cte) {
  if (from == nullptr) {
    return 0;
  }
  if (from->table != nullptr) {
    return from->table->cte == cte ? 1 : 0;
  }
  return CountIn(from->left.get(), cte) + CountIn(from->right.get(), cte);
}

bool NeedsAllRows(const BoundSelect& select) {
  bool needs = select.aggregated || select.rollup || !select.group_by.empty();
  for (const BoundItem& item : select.items) {
    Walk(*item.expr, [&](const BoundExpr& e) {
      needs |= e.kind == BoundKind::kAggregate || e.kind == BoundKind::kWindow;
    });
  }
  return needs;
}

// A block that names the table, bound; `uses` counts the tables that were made of it meanwhile.
Status CheckBlock(const BoundCte& cte, const QueryBody& written, const BoundQuery& block,
                  int uses) {
  const BoundSelect* select = block.body.select.get();
  if (IsOrderedOrLimited(written) || (select != nullptr && select->distinct)) {
    return UserError(
        ER_NOT_SUPPORTED_YET,
        "ORDER BY / LIMIT / SELECT DISTINCT in recursive query block of Common Table Expression");
  }
  if (select == nullptr || uses != 1 || CountIn(select->from.get(), &cte) != 1) {
    return UserError(ER_CTE_RECURSIVE_REQUIRES_SINGLE_REFERENCE, cte.name);
  }
  return NeedsAllRows(*select) ? UserError(ER_CTE_RECURSIVE_FORBIDS_AGGREGATION, cte.name)
                               : Status();
}

}  // namespace

Result<bool> StatementBinder::IsRecursive(const WithClause& with, const CommonTableExpr& cte) {
  if (!with.recursive || !Mentions(*cte.query->body, cte.name)) {
    return false;
  }
  const auto* operation = Unwrapped(*cte.query->body).TryAs<SetOperation>();
  if (operation == nullptr || operation->rest.back().op != SetOperator::kUnion) {
    return UserError(ER_CTE_RECURSIVE_REQUIRES_UNION, cte.name);
  }
  RETURN_IF_ERROR(CheckOrder(*operation, cte.name));
  return true;
}

Status StatementBinder::BindRecursiveCte(const CommonTableExpr& cte,
                                         std::shared_ptr<BoundCte> bound, Scope* scope) {
  const auto& operation = Unwrapped(*cte.query->body).As<SetOperation>();
  if (!cte.query->order_by.empty() || IsOrderedOrLimited(*cte.query->body)) {
    return Unsupported("ORDER BY over UNION in recursive Common Table Expression");
  }
  auto anchor = std::make_shared<BoundQuery>();
  RETURN_IF_ERROR(BindBody(*operation.first, nullptr, anchor.get(), scope));
  if (!cte.columns.empty() && cte.columns.size() != anchor->columns.size()) {
    return UserError(ER_VIEW_WRONG_LIST);
  }
  std::vector<row::Type> types;
  std::vector<Coercibility> coercibilities;
  for (size_t i = 0; i < anchor->columns.size(); ++i) {
    if (!cte.columns.empty()) {
      anchor->columns[i].name = cte.columns[i];
    }
    // Rows of later rounds may be NULL where the first are not.
    anchor->columns[i].type.nullable = true;
    types.push_back(anchor->columns[i].type);
    coercibilities.push_back(Coercibility::kImplicit);
  }
  BoundTable shape;
  AddDerivedColumns(*anchor, &shape);
  bound->columns = std::move(shape.columns);

  Scope inside;
  inside.outer = scope;
  inside.query = scope->query;
  inside.ctes.push_back(bound);
  std::shared_ptr<BoundQuery> left = std::move(anchor);
  for (const SetOperation::Arm& arm : operation.rest) {
    if (arm.op != SetOperator::kUnion) {
      return Unsupported("INTERSECT or EXCEPT in a recursive common table expression");
    }
    auto right = std::make_shared<BoundQuery>();
    const int uses = bound->uses;
    RETURN_IF_ERROR(BindBody(*arm.body, nullptr, right.get(), &inside));
    if (right->columns.size() != left->columns.size()) {
      return UserError(ER_WRONG_NUMBER_OF_COLUMNS_IN_SELECT);
    }
    if (bound->uses > uses) {
      RETURN_IF_ERROR(CheckBlock(*bound, *arm.body, *right, bound->uses - uses));
    }
    RETURN_IF_ERROR(ConvertColumns(right.get(), types, coercibilities));
    auto combined = std::make_shared<BoundQuery>();
    combined->columns = left->columns;
    combined->body.set_operation = std::make_unique<BoundSetOperation>();
    combined->body.set_operation->op = SetOperator::kUnion;
    combined->body.set_operation->all = arm.all;
    combined->body.set_operation->left = std::move(left);
    combined->body.set_operation->right = std::move(right);
    left = std::move(combined);
  }
  if (cte.query->limit.has_value()) {
    RETURN_IF_ERROR(BindLimit(*cte.query->limit, left.get(), scope));
  }
  bound->query = std::move(left);
  return {};
}

}  // namespace borealis::sql
