// Queries as text, in the style of a stored view body.
#include "sql/ast/print_internal.h"

namespace borealis::sql {

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
  if (!name.schema.empty()) {
    AddIdent(name.schema);
    Add(".");
  }
  AddIdent(name.name);
}

void Printer::PrintOrder(const std::vector<OrderItem>& list) {
  bool first = true;
  for (const OrderItem& item : list) {
    if (!first) {
      Add(",");
    }
    first = false;
    Print(*item.expr);
    if (item.descending()) {
      Add(" desc");
    }
  }
}

void Printer::Print(const Query& query) {
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
      Add(" as ");
      PrintSubquery(*table.query);
    }
    Add(" ");
  }
  Print(*query.body, false);
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
        Add(first ? "values row(" : ", row(");
        first = false;
        PrintList(row);
        Add(")");
      }
      return;
    }
    case QueryBodyKind::kTable:
      Add("table ");
      return Print(body.As<TableCore>().table);
    case QueryBodyKind::kSetOperation:
      Add(as_arm ? "(" : "");
      Print(body.As<SetOperation>());
      return Add(as_arm ? ")" : "");
    case QueryBodyKind::kNested:
      return PrintSubquery(*body.As<NestedQuery>().query);
  }
}

void Printer::Print(const SetOperation& node) {
  Print(*node.first, true);
  for (const SetOperation::Arm& arm : node.rest) {
    switch (arm.op) {
      case SetOperator::kUnion:
        Add(" union ");
        break;
      case SetOperator::kIntersect:
        Add(" intersect ");
        break;
      case SetOperator::kExcept:
        Add(" except ");
        break;
    }
    Add(arm.all ? "all " : "");
    Print(*arm.body, true);
  }
}

void Printer::Print(const SelectCore& core) {
  Add("select ");
  for (const std::string& hint : core.hints) {
    Add("/*+" + hint + "*/ ");
  }
  Add(core.distinct ? "distinct " : "");
  Add(core.high_priority ? "high_priority " : "");
  Add(core.straight_join ? "straight_join " : "");
  Add(core.small_result ? "sql_small_result " : "");
  Add(core.big_result ? "sql_big_result " : "");
  Add(core.buffer_result ? "sql_buffer_result " : "");
  Add(core.calc_found_rows ? "sql_calc_found_rows " : "");
  Add(core.no_cache ? "sql_no_cache " : "");
  bool first = true;
  for (const SelectItem& item : core.items) {
    Add(first ? "" : ",");
    first = false;
    if (item.wildcard) {
      if (!item.schema.empty()) {
        AddIdent(item.schema);
        Add(".");
      }
      if (!item.table.empty()) {
        AddIdent(item.table);
        Add(".");
      }
      Add("*");
      continue;
    }
    Print(*item.expr);
    if (item.alias) {
      Add(" AS ");
      if (item.alias->empty()) {
        Add("''");  // only a string can be an empty name
      } else {
        AddIdent(*item.alias);
      }
    }
  }
  if (core.from_dual) {
    Add(" from dual");
  }
  first = true;
  for (const TableRefPtr& table : core.from) {
    Add(first ? " from " : ",");
    first = false;
    Print(*table);
  }
  if (core.where) {
    Add(" where ");
    Print(*core.where);
  }
  if (!core.group_by.empty()) {
    Add(" group by ");
    PrintOrder(core.group_by);
    Add(core.rollup ? " with rollup" : "");
  }
  if (core.having) {
    Add(" having ");
    Print(*core.having);
  }
  first = true;
  for (const NamedWindow& window : core.windows) {
    Add(first ? " window " : ", ");
    first = false;
    AddIdent(window.name);
    Add(" AS ");
    PrintWindowSpec(window.spec);
  }
}

void Printer::Print(const TableRef& table) {
  switch (table.kind) {
    case TableRefKind::kTable:
      return Print(table.As<TableRefName>());
    case TableRefKind::kDerived: {
      const auto& node = table.As<DerivedTable>();
      Add(node.lateral ? "lateral " : "");
      PrintSubquery(*node.query);
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
  Print(node.table);
  if (!node.partitions.empty()) {
    Add(" PARTITION ");
    PrintNames(node.partitions);
  }
  if (node.alias) {
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
    PrintNames(hint.indexes);
  }
}

void Printer::Print(const JoinedTable& node) {
  Add("(");
  Print(*node.left);
  Add(node.natural ? " natural" : "");
  if (node.join == JoinKind::kLeft) {
    Add(" left");
  } else if (node.join == JoinKind::kRight) {
    Add(" right");
  }
  Add(node.straight ? " straight_join " : " join ");
  Print(*node.right);
  if (node.on) {
    Add(" on(");
    Print(*node.on);
    Add(")");
  } else if (!node.using_columns.empty()) {
    Add(" using ");
    PrintNames(node.using_columns);
  }
  Add(")");
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
    if (!column.type.charset.empty()) {
      Add(" character set " + PrintCharsetName(column.type.charset));
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
