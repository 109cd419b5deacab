#include "sql/binder/rewrite.h"

#include <memory>

#include "sql/binder/binder_internal.h"

namespace borealis::sql {
namespace {

template <class T>
std::shared_ptr<BoundExpr> Copy(const BoundExpr& expr) {
  return std::make_shared<T>(expr.As<T>());
}

std::shared_ptr<BoundExpr> CopyOf(const BoundExpr& expr) {
  switch (expr.kind) {
    case BoundKind::kLiteral:
      return Copy<BoundLiteral>(expr);
    case BoundKind::kParameter:
      return Copy<BoundParameter>(expr);
    case BoundKind::kColumn:
      return Copy<BoundColumn>(expr);
    case BoundKind::kConvert:
      return Copy<BoundConvert>(expr);
    case BoundKind::kFunction:
      return Copy<BoundFunction>(expr);
    case BoundKind::kCompare:
      return Copy<BoundCompare>(expr);
    case BoundKind::kLogical:
      return Copy<BoundLogical>(expr);
    case BoundKind::kNot:
      return Copy<BoundNot>(expr);
    case BoundKind::kIsNull:
      return Copy<BoundIsNull>(expr);
    case BoundKind::kIsTruth:
      return Copy<BoundIsTruth>(expr);
    case BoundKind::kCase:
      return Copy<BoundCase>(expr);
    case BoundKind::kIn:
      return Copy<BoundIn>(expr);
    case BoundKind::kScalarSubquery:
      return Copy<BoundScalarSubquery>(expr);
    case BoundKind::kExists:
      return Copy<BoundExists>(expr);
    case BoundKind::kInSubquery:
      return Copy<BoundInSubquery>(expr);
    case BoundKind::kAggregate:
      return Copy<BoundAggregate>(expr);
    case BoundKind::kWindow:
      return Copy<BoundWindow>(expr);
    case BoundKind::kUserVariable:
      return Copy<BoundUserVariable>(expr);
    case BoundKind::kAssignVariable:
      return Copy<BoundAssignVariable>(expr);
    case BoundKind::kGrouping:
      return Copy<BoundGrouping>(expr);
  }
  return nullptr;
}

}  // namespace

Result<BoundPtr> ExprRewriter::Rewrite(const BoundPtr& expr) {
  ASSIGN_OR_RETURN(BoundPtr replaced, replace_(expr, depth_ > 0));
  if (replaced != nullptr) {
    return replaced;
  }
  if (const BoundQuery* query = SubqueryOf(*expr)) {
    ++depth_;
    Status status = Query(const_cast<BoundQuery*>(query));
    --depth_;
    RETURN_IF_ERROR(status);
  }
  std::shared_ptr<BoundExpr> copy = CopyOf(*expr);
  bool changed = false;
  RETURN_IF_ERROR(RewriteParts(copy.get(), &changed));
  if (!changed) {
    return expr;
  }
  // What an aggregate gives for NULLs does not depend on there being any.
  if (copy->kind != BoundKind::kAggregate && copy->kind != BoundKind::kWindow) {
    copy->type.nullable = true;
  }
  return BoundPtr(copy);
}

Status ExprRewriter::Part(BoundPtr* part, bool* changed) {
  ASSIGN_OR_RETURN(BoundPtr now, Rewrite(*part));
  *changed |= now != *part;
  *part = std::move(now);
  return {};
}

Status ExprRewriter::RewriteParts(BoundExpr* copy, bool* changed) {
  for (BoundPtr& arg : copy->args) {
    RETURN_IF_ERROR(Part(&arg, changed));
  }
  if (copy->kind == BoundKind::kAggregate || copy->kind == BoundKind::kWindow) {
    for (BoundOrder& order : static_cast<BoundAggregate*>(copy)->order_by) {
      RETURN_IF_ERROR(Part(&order.expr, changed));
    }
  }
  if (copy->kind == BoundKind::kWindow) {
    auto* window = static_cast<BoundWindow*>(copy);
    for (BoundPtr& part : window->partition_by) {
      RETURN_IF_ERROR(Part(&part, changed));
    }
    for (BoundOrder& order : window->window_order) {
      RETURN_IF_ERROR(Part(&order.expr, changed));
    }
    for (BoundFrameBound* bound : {&window->frame_start, &window->frame_end}) {
      if (window->frame_by_limits && bound->offset != nullptr) {
        RETURN_IF_ERROR(Part(&bound->offset, changed));
      }
    }
  }
  return {};
}

Status ExprRewriter::Query(BoundQuery* query) {
  if (!done_.insert(query).second) {
    return {};
  }
  for (const std::shared_ptr<BoundCte>& cte : query->ctes) {
    RETURN_IF_ERROR(Query(cte->query.get()));
  }
  bool changed = false;
  if (query->body.select != nullptr) {
    RETURN_IF_ERROR(Select(query->body.select.get()));
  }
  if (query->body.set_operation != nullptr) {
    RETURN_IF_ERROR(Query(query->body.set_operation->left.get()));
    RETURN_IF_ERROR(Query(query->body.set_operation->right.get()));
  }
  for (std::vector<BoundPtr>& row : query->body.values) {
    for (BoundPtr& value : row) {
      RETURN_IF_ERROR(Part(&value, &changed));
    }
  }
  for (BoundOrder& order : query->order_by) {
    RETURN_IF_ERROR(Part(&order.expr, &changed));
  }
  return {};
}

Status ExprRewriter::Select(BoundSelect* select) {
  bool changed = false;
  if (select->from != nullptr) {
    RETURN_IF_ERROR(From(select->from.get()));
  }
  for (BoundItem& item : select->items) {
    RETURN_IF_ERROR(Part(&item.expr, &changed));
  }
  for (BoundPtr& group : select->group_by) {
    RETURN_IF_ERROR(Part(&group, &changed));
  }
  for (BoundPtr* condition : {&select->where, &select->having}) {
    if (*condition != nullptr) {
      RETURN_IF_ERROR(Part(condition, &changed));
    }
  }
  return {};
}

Status ExprRewriter::From(BoundFrom* from) {
  bool changed = false;
  if (from->table != nullptr) {
    if (from->table->document != nullptr) {
      RETURN_IF_ERROR(Part(&from->table->document, &changed));
    }
    return from->table->query != nullptr ? Query(from->table->query.get()) : Status();
  }
  RETURN_IF_ERROR(From(from->left.get()));
  RETURN_IF_ERROR(From(from->right.get()));
  return from->on != nullptr ? Part(&from->on, &changed) : Status();
}

}  // namespace borealis::sql
