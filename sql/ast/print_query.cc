// Queries as text, in the style of a stored view body.
#include <utility>

#include "sql/ast/print_internal.h"

namespace borealis::sql {

namespace {

// A query in parentheses that says no more than what is in them.
const QueryBody& WithoutParentheses(const QueryBody& body) {
  const QueryBody* at = &body;
  while (const auto* nested = at->TryAs<NestedQuery>()) {
    const Query& query = *nested->query;
    if (query.with || !query.order_by.empty() || query.limit || !query.locking.empty()) {
      break;
    }
    at = query.body.get();
  }
  return *at;
}

// UNION that is not ALL makes everything before it distinct as well.
size_t DistinctArms(const SetOperation& node) {
  size_t count = 0;
  for (size_t i = 0; i < node.rest.size() && node.rest[i].op == SetOperator::kUnion; ++i) {
    if (!node.rest[i].all) {
      count = i + 1;
    }
  }
  return count;
}

std::string_view OperatorText(SetOperator op, bool all) {
  switch (op) {
    case SetOperator::kUnion:
      return all ? " union all " : " union ";
    case SetOperator::kIntersect:
      return all ? " intersect all " : " intersect ";
    case SetOperator::kExcept:
      return all ? " except all " : " except ";
  }
  return "";
}

// Where a set operation among the arms of a union can be their continuation.
bool IsUnion(const SetOperation& node, bool all) {
  for (const SetOperation::Arm& arm : node.rest) {
    if (arm.op != SetOperator::kUnion || (all && !arm.all)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string PrintQuery(const Query& query, const PrintOptions& options) {
  Printer printer(options);
  printer.Print(query);
  return printer.Take();
}

void Printer::PrintNames(const std::vector<std::string>& names) {
  Add("(");
  bool first = true;
  for (const std::string& name : names) {
    if (!first) {
      Add(",");
    }
    first = false;
    AddIdent(name);
  }
  Add(")");
}

void Printer::Print(const QualifiedName& name) {
  if (!name.schema.empty() && !options_.without_schemas) {
    AddIdent(name.schema);
    Add(".");
  }
  AddIdent(name.name);
}

void Printer::PrintOrderTarget(const Expr& expr) {
  if (options_.names != nullptr) {
    const ResolvedNames& names = *options_.names;
    if (const auto found = names.position_exprs.find(&expr); found != names.position_exprs.end()) {
      return Print(*found->second);
    }
    if (const auto found = names.position_columns.find(&expr);
        found != names.position_columns.end()) {
      return Print(found->second);
    }
  }
  Print(expr);
}

void Printer::PrintOrder(const std::vector<OrderItem>& list) {
  bool first = true;
  for (const OrderItem& item : list) {
    if (!first) {
      Add(",");
    }
    first = false;
    PrintOrderTarget(*item.expr);
    if (item.descending()) {
      Add(" desc");
    }
  }
}

void Printer::Print(const Query& query) {
  const bool in_subquery_expr = std::exchange(in_subquery_expr_, false);
  if (query.with) {
    Add(query.with->recursive ? "with recursive " : "with ");
    bool first = true;
    for (const CommonTableExpr& table : query.with->tables) {
      if (!first) {
        Add(", ");
      }
      first = false;
      AddIdent(table.name);
      if (!table.columns.empty()) {
        Add(" ");
        PrintNames(table.columns);
      }
      Add(" as (");
      Print(*table.query);
      Add(")");
    }
    Add(" ");
  }
  in_subquery_expr_ = in_subquery_expr;
  Print(*query.body, false);
  in_subquery_expr_ = in_subquery_expr;
  if (!query.order_by.empty()) {
    Add(" order by ");
    PrintOrder(query.order_by);
  }
  if (query.limit) {
    Add(" limit ");
    if (query.limit->offset) {
      Print(*query.limit->offset);
      Add(",");
    }
    Print(*query.limit->count);
  }
  if (options_.names != nullptr) {
    return;
  }
  for (const LockingClause& locking : query.locking) {
    Add(locking.strength == LockStrength::kUpdate ? " for update" : " for share");
    bool first = true;
    for (const QualifiedName& table : locking.tables) {
      Add(first ? " of " : ",");
      first = false;
      Print(table);
    }
    if (locking.wait != LockWait::kWait) {
      Add(locking.wait == LockWait::kNoWait ? " nowait" : " skip locked");
    }
  }
}

void Printer::Print(const QueryBody& body, bool as_arm) {
  switch (body.kind) {
    case QueryBodyKind::kSelect:
      return Print(body.As<SelectCore>());
    case QueryBodyKind::kValues: {
      bool first = true;
      for (const std::vector<ExprPtr>& row : body.As<ValuesCore>().rows) {
        Add(first ? "values row(" : ",row(");
        first = false;
        PrintList(row);
        Add(")");
      }
      return;
    }
    case QueryBodyKind::kTable:
      return Print(body.As<TableCore>());
    case QueryBodyKind::kSetOperation:
      Add(as_arm ? "(" : "");
      Print(body.As<SetOperation>());
      return Add(as_arm ? ")" : "");
    case QueryBodyKind::kNested:
      if (const QueryBody& inner = WithoutParentheses(body); !inner.Is<NestedQuery>()) {
        return Print(inner, as_arm);
      }
      Add("(");
      Print(*body.As<NestedQuery>().query);
      return Add(")");
  }
}

void Printer::Print(const TableCore& node) {
  if (options_.names != nullptr) {
    if (const auto found = options_.names->tables.find(&node);
        found != options_.names->tables.end()) {
      bool first = true;
      for (const ResolvedNames::Item& item : found->second.items) {
        Add(first ? "select " : ",");
        first = false;
        Print(item.column);
        PrintAlias(item.name);
      }
      Add(" from ");
      return Print(QualifiedName{found->second.schema, node.table.name, {}});
    }
  }
  Add("table ");
  Print(node.table);
}

// What stands among the arms of a union and is one itself continues it.
void Printer::PrintUnionArm(const QueryBody& body, bool all) {
  const QueryBody& inner = WithoutParentheses(body);
  const auto* nested = inner.TryAs<SetOperation>();
  if (nested == nullptr || !IsUnion(*nested, all)) {
    return Print(inner, true);
  }
  PrintUnionArm(*nested->first, all);
  for (const SetOperation::Arm& arm : nested->rest) {
    Add(OperatorText(SetOperator::kUnion, all));
    PrintUnionArm(*arm.body, all);
  }
}

// From left to right; where the operator changes, what is before it goes into parentheses.
void Printer::Print(const SetOperation& node) {
  const size_t begin = out_.size();
  const size_t distinct = DistinctArms(node);
  const auto all_of = [&](size_t i) { return node.rest[i].all && i >= distinct; };
  if (node.rest[0].op == SetOperator::kUnion) {
    PrintUnionArm(*node.first, all_of(0));
  } else {
    Print(*node.first, true);
  }
  for (size_t i = 0; i < node.rest.size(); ++i) {
    const SetOperation::Arm& arm = node.rest[i];
    if (i > 0 && (arm.op != node.rest[i - 1].op || all_of(i) != all_of(i - 1))) {
      out_.insert(begin, "(");
      Add(")");
    }
    Add(OperatorText(arm.op, all_of(i)));
    if (arm.op == SetOperator::kUnion) {
      PrintUnionArm(*arm.body, all_of(i));
    } else {
      Print(*arm.body, true);
    }
  }
}

void Printer::PrintAlias(std::string_view name) {
  Add(" AS ");
  if (name.empty()) {
    Add("''");  // only a string can be an empty name
  } else {
    AddIdent(name);
  }
}

void Printer::PrintItem(const SelectItem& item, bool first) {
  Add(first ? "" : ",");
  if (item.wildcard) {
    if (options_.names != nullptr) {
      if (const auto found = options_.names->wildcards.find(&item);
          found != options_.names->wildcards.end()) {
        for (size_t i = 0; i < found->second.size(); ++i) {
          Add(i == 0 ? "" : ",");
          Print(found->second[i].column);
          if (!in_subquery_expr_) {
            PrintAlias(found->second[i].name);
          }
        }
        return;
      }
    }
    if (!item.schema.empty()) {
      AddIdent(item.schema);
      Add(".");
    }
    if (!item.table.empty()) {
      AddIdent(item.table);
      Add(".");
    }
    return Add("*");
  }
  const bool unnamed = in_subquery_expr_ && !item.alias;
  if (IsSubqueryTest(*item.expr)) {
    PrintCondition(*item.expr, false);
  } else {
    Print(*item.expr);
  }
  if (options_.names != nullptr && !unnamed) {
    if (const auto found = options_.names->item_names.find(&item);
        found != options_.names->item_names.end()) {
      return PrintAlias(found->second);
    }
  }
  if (item.alias) {
    PrintAlias(*item.alias);
  }
}

void Printer::PrintFrom(const SelectCore& core) {
  if (core.from.empty() && core.where) {
    return Add(" from DUAL ");
  }
  const bool in_subquery_expr = std::exchange(in_subquery_expr_, false);
  // A list of tables is a join of them, from left to right.
  if (!core.from.empty()) {
    Add(" from " + std::string(core.from.size() - 1, '('));
    Print(*core.from[0]);
  }
  for (size_t i = 1; i < core.from.size(); ++i) {
    Add(" join ");
    Print(*core.from[i]);
    Add(")");
  }
  in_subquery_expr_ = in_subquery_expr;
}

void Printer::Print(const SelectCore& core) {
  const bool in_exists = std::exchange(in_exists_, false);
  Add("select ");
  if (options_.names == nullptr) {
    for (const std::string& hint : core.hints) {
      Add("/*+" + hint + "*/ ");
    }
  }
  Add(core.straight_join ? "straight_join " : "");
  Add(core.high_priority ? "high_priority " : "");
  Add(core.distinct ? "distinct " : "");
  Add(core.small_result ? "sql_small_result " : "");
  Add(core.big_result ? "sql_big_result " : "");
  Add(core.buffer_result ? "sql_buffer_result " : "");
  Add(core.calc_found_rows ? "sql_calc_found_rows " : "");
  bool first = true;
  for (const SelectItem& item : core.items) {
    if (in_exists && item.wildcard && options_.names != nullptr) {
      Add(first ? "1" : ",1");  // what it selects says nothing
    } else {
      PrintItem(item, first);
    }
    first = false;
  }
  PrintFrom(core);
  const bool in_subquery_expr = std::exchange(in_subquery_expr_, false);
  if (core.where) {
    Add(" where ");
    PrintCondition(*core.where, false);
  }
  if (!core.group_by.empty()) {
    Add(" group by ");
    PrintOrder(core.group_by);
    Add(core.rollup ? " with rollup" : "");
  }
  if (core.having) {
    Add(" having ");
    PrintCondition(*core.having, false);
  }
  first = true;
  for (const NamedWindow& window : core.windows) {
    Add(first ? " window " : ", ");
    first = false;
    AddIdent(window.name);
    Add(" AS ");
    PrintWindowSpec(window.spec);
    Add(" ");
  }
  in_subquery_expr_ = in_subquery_expr;
}

void Printer::Print(const TableRef& table) {
  switch (table.kind) {
    case TableRefKind::kTable:
      return Print(table.As<TableRefName>());
    case TableRefKind::kDerived: {
      const auto& node = table.As<DerivedTable>();
      Add(node.lateral ? "lateral (" : "(");
      Print(*node.query);
      Add(")");
      if (!node.alias.empty()) {
        Add(" ");
        AddIdent(node.alias);
      }
      if (!node.columns.empty()) {
        Add(" ");
        PrintNames(node.columns);
      }
      return;
    }
    case TableRefKind::kJoin:
      return Print(table.As<JoinedTable>());
    case TableRefKind::kJsonTable:
      return Print(table.As<JsonTable>());
  }
}

void Printer::Print(const TableRefName& node) {
  QualifiedName name{node.table.schema, node.table.name, {}};
  if (options_.names != nullptr) {
    if (const auto found = options_.names->schemas.find(&node);
        found != options_.names->schemas.end()) {
      name.schema = found->second;
    }
  }
  Print(name);
  if (!node.partitions.empty()) {
    Add(" PARTITION ");
    PrintNames(node.partitions);
  }
  if (node.alias && *node.alias != node.table.name) {
    Add(" ");
    AddIdent(*node.alias);
  }
  for (const IndexHint& hint : node.index_hints) {
    switch (hint.kind) {
      case IndexHintKind::kUse:
        Add(" USE INDEX ");
        break;
      case IndexHintKind::kForce:
        Add(" FORCE INDEX ");
        break;
      case IndexHintKind::kIgnore:
        Add(" IGNORE INDEX ");
        break;
    }
    switch (hint.scope) {
      case IndexHintScope::kAll:
        break;
      case IndexHintScope::kJoin:
        Add("FOR JOIN ");
        break;
      case IndexHintScope::kOrderBy:
        Add("FOR ORDER BY ");
        break;
      case IndexHintScope::kGroupBy:
        Add("FOR GROUP BY ");
        break;
    }
    Add("(");
    for (size_t i = 0; i < hint.indexes.size(); ++i) {
      Add(i == 0 ? "" : ",");
      if (hint.indexes[i] == "PRIMARY") {
        Add("PRIMARY");
      } else {
        AddIdent(hint.indexes[i]);
      }
    }
    Add(")");
  }
}

// A right join is the left join of its tables the other way round.
void Printer::Print(const JoinedTable& node) {
  const bool swaps = node.join == JoinKind::kRight;
  Add("(");
  Print(swaps ? *node.right : *node.left);
  const bool resolved = options_.names != nullptr;
  Add(node.natural && !resolved ? " natural" : "");
  Add(node.join != JoinKind::kInner ? " left" : "");
  Add(node.straight ? " straight_join " : " join ");
  Print(swaps ? *node.left : *node.right);
  PrintJoinCondition(node);
  Add(")");
}

void Printer::PrintJoinCondition(const JoinedTable& node) {
  if (node.on) {
    Add(" on(");
    PrintCondition(*node.on, false);
    return Add(")");
  }
  if (options_.names != nullptr) {
    const auto found = options_.names->merged.find(&node);
    if (found == options_.names->merged.end() || found->second.empty()) {
      return;
    }
    const bool several = found->second.size() > 1;
    Add(several ? " on((" : " on(");
    for (size_t i = 0; i < found->second.size(); ++i) {
      Add(i == 0 ? "(" : " and (");
      Print(found->second[i].first);
      Add(" = ");
      Print(found->second[i].second);
      Add(")");
    }
    return Add(several ? "))" : ")");
  }
  if (!node.using_columns.empty()) {
    Add(" using ");
    PrintNames(node.using_columns);
  }
}

void Printer::PrintJsonColumns(const std::vector<JsonTableColumn>& columns) {
  Add(" columns (");
  bool first = true;
  for (const JsonTableColumn& column : columns) {
    Add(first ? "" : ", ");
    first = false;
    if (column.kind == JsonTableColumn::Kind::kNested) {
      Add("nested path " + QuoteString(column.path));
      PrintJsonColumns(column.nested);
      continue;
    }
    AddIdent(column.name);
    if (column.kind == JsonTableColumn::Kind::kOrdinality) {
      Add(" for ordinality");
      continue;
    }
    Add(" " + PrintType(column.type));
    std::string charset = column.type.charset;
    if (options_.names != nullptr) {
      const auto known = options_.names->json_charsets.find(&column);
      charset = known != options_.names->json_charsets.end() ? known->second : "";
    }
    if (!charset.empty()) {
      Add(" character set " + PrintCharsetName(charset));
    }
    if (!column.type.collation.empty()) {
      Add(" collate " + PrintCharsetName(column.type.collation));
    }
    Add(column.kind == JsonTableColumn::Kind::kExistsPath ? " exists path " : " path ");
    Add(QuoteString(column.path));
    PrintJsonOn(column.on_empty, " on empty");
    PrintJsonOn(column.on_error, " on error");
  }
  Add(")");
}

void Printer::Print(const JsonTable& node) {
  Add("json_table(");
  Print(*node.document);
  Add(", " + QuoteString(node.path));
  PrintJsonColumns(node.columns);
  Add(") ");
  AddIdent(node.alias);
}

}  // namespace borealis::sql
