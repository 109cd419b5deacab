// EXPLAIN: MySQL's table, from what the query machine's planner decided.
//
// The machine tells in which order it visits the tables and with which plan (sqlite/table_plan.h);
// select numbers and types come from the typed tree. A derived table that the machine merged into
// its query has no row of its own, as in MySQL.
#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/mysql_error.h"
#include "sql/ast/admin.h"
#include "sql/context/computed_column.h"
#include "sql/session/explain_access.h"
#include "sql/session/session_internal.h"
#include "sql/sqlite/table_plan.h"

namespace borealis::sql {
namespace {

struct Block {
  int id = 0;
  std::string type;
};

// Which query block each table of a statement belongs to, numbered in the order written.
class Blocks {
 public:
  void Walk(const BoundQuery& query, std::string_view type) {
    for (const auto& cte : query.ctes) {
      Walk(*cte->query, "DERIVED");
    }
    if (query.body.set_operation != nullptr) {
      Walk(*query.body.set_operation->left, type);
      Walk(*query.body.set_operation->right, "UNION");
      return;
    }
    if (query.body.select == nullptr) {
      return;
    }
    const BoundSelect& select = *query.body.select;
    const BoundSelect& source = SourceOf(select);
    Block block{++last_, std::string(type)};
    first_ = first_ == 0 ? block.id : first_;
    if (source.from == nullptr) {
      no_tables_.push_back(block);
    } else {
      From(*source.from, block);
    }
    if (select.rollup) {
      rollups_.insert(block.id);
    }
    const bool split = &source != &select;
    if (split) {
      for (const BoundItem& item : source.items) {
        Expr(*item.expr);
      }
    }
    for (const BoundItem& item : select.items) {
      Expr(*item.expr);
    }
    const BoundExpr* filter = split ? source.where.get() : nullptr;
    for (const BoundExpr* expr : {filter, select.where.get(), select.having.get()}) {
      if (expr != nullptr) {
        equalities_.Add(*expr);
        Expr(*expr);
      }
    }
    for (const BoundOrder& order : query.order_by) {
      Expr(*order.expr);
    }
  }

  // The outermost block is PRIMARY once there are others.
  void Finish() {
    for (auto& [id, block] : by_table_) {
      if (block.type == "SIMPLE" && last_ > 1) {
        block.type = "PRIMARY";
      }
    }
    for (Block& block : no_tables_) {
      if (block.type == "SIMPLE" && last_ > 1) {
        block.type = "PRIMARY";
      }
    }
  }

  const std::map<uint32_t, Block>& by_table() const { return by_table_; }
  const std::vector<Block>& no_tables() const { return no_tables_; }
  // Tables that are functions of others.
  const std::map<uint32_t, const BoundTable*>& functions() const { return functions_; }
  bool IsRollup(int block) const { return rollups_.contains(block); }
  const Equalities& equalities() const { return equalities_; }

 private:
  void From(const BoundFrom& from, const Block& block) {
    if (from.table == nullptr) {
      From(*from.left, block);
      From(*from.right, block);
      if (from.on != nullptr) {
        equalities_.Add(*from.on);
        Expr(*from.on);
      }
      return;
    }
    by_table_[from.table->id] = block;
    if (from.table->kind == BoundTableKind::kJsonTable) {
      functions_[from.table->id] = from.table;
      Expr(*from.table->document);
    }
    if (from.table->query != nullptr) {
      Walk(*from.table->query, from.table->lateral ? "DEPENDENT DERIVED" : "DERIVED");
    }
  }

  void Expr(const BoundExpr& expr) {
    for (const BoundPtr& arg : expr.args) {
      Expr(*arg);
    }
    const BoundQuery* query = nullptr;
    if (const auto* scalar = expr.TryAs<BoundScalarSubquery>()) {
      query = scalar->query.get();
    } else if (const auto* exists = expr.TryAs<BoundExists>()) {
      query = exists->query.get();
    } else if (const auto* in = expr.TryAs<BoundInSubquery>()) {
      query = in->query.get();
    }
    if (query != nullptr) {
      Walk(*query, query->correlated ? "DEPENDENT SUBQUERY" : "SUBQUERY");
    }
  }

  int last_ = 0;
  int first_ = 0;
  std::map<uint32_t, Block> by_table_;
  std::vector<Block> no_tables_;
  std::set<int> rollups_;
  std::map<uint32_t, const BoundTable*> functions_;
  Equalities equalities_;
};

// "t12" in "SCAN t12 VIRTUAL TABLE INDEX 1:1:c:e:4".
bool ParseScan(const std::string& detail, uint32_t* table, std::string* plan) {
  size_t at = detail.find("SCAN t");
  if (at != 0) {
    return false;
  }
  const char* begin = detail.data() + 6;
  const char* end = detail.data() + detail.size();
  auto [after, error] = std::from_chars(begin, end, *table);
  if (error != std::errc()) {
    return false;
  }
  constexpr std::string_view kIndex = "VIRTUAL TABLE INDEX ";
  size_t index = detail.find(kIndex);
  if (index != std::string::npos) {
    size_t colon = detail.find(':', index);
    *plan = colon == std::string::npos ? "" : detail.substr(colon + 1);
    if (size_t outer = plan->find(" LEFT-JOIN"); outer != std::string::npos) {
      plan->resize(outer);
    }
  }
  return true;
}

size_t Conjuncts(const BoundExpr& condition) {
  const auto* logical = condition.TryAs<BoundLogical>();
  if (logical == nullptr || !logical->is_and) {
    return 1;
  }
  size_t count = 0;
  for (const BoundPtr& arg : logical->args) {
    count += Conjuncts(*arg);
  }
  return count;
}

// Whether rows are still tested once they are found: a look-up by the whole condition tests none.
bool TestsRows(const BoundSelect* select, const ExplainRow& row) {
  if (!row.has_table || select == nullptr || select->where == nullptr || row.type == "const") {
    return false;
  }
  const auto looked_up = static_cast<size_t>(std::count(row.ref.begin(), row.ref.end(), ',')) + 1;
  return row.type != "ref" || Conjuncts(*select->where) != looked_up;
}

const BoundSelect* OuterSelect(const BoundQuery& query) {
  return query.body.select != nullptr ? &SourceOf(*query.body.select) : nullptr;
}

// A plan tells what views are made from: whoever sees it must be allowed to see that. Error: 1345.
Status CheckMayExplain(const StatementFacts& facts, const SecurityContext& security) {
  const auto is_view = [](const TablePtr& table) { return table->kind == TableKind::kView; };
  if (security.unrestricted() ||
      std::none_of(facts.base_tables.begin(), facts.base_tables.end(), is_view)) {
    return {};
  }
  for (const TablePtr& table : facts.base_tables) {
    if (table->temporary) {
      continue;
    }
    const PrivilegeSet needed = is_view(table)
                                    ? PrivilegeSet{Privilege::kSelect, Privilege::kShowView}
                                    : PrivilegeSet{Privilege::kSelect};
    if (!security.OnAnyColumn(table->schema, table->name).HasAll(needed)) {
      return UserError(ER_VIEW_NO_EXPLAIN);
    }
  }
  return {};
}

// What EXPLAIN ANALYZE does not run or show. Error: 1235.
Status CheckMayAnalyze(const ExplainStmt& explain) {
  if (explain.format == ExplainFormat::kJson) {
    return UserError(ER_NOT_SUPPORTED_YET, "EXPLAIN ANALYZE with JSON format");
  }
  if (explain.format == ExplainFormat::kTraditional) {
    return UserError(ER_NOT_SUPPORTED_YET, "EXPLAIN ANALYZE with TRADITIONAL format");
  }
  if (explain.statement->kind != StmtKind::kSelect) {
    return UserError(ER_NOT_SUPPORTED_YET, "EXPLAIN ANALYZE of a change");
  }
  return Status::Ok();
}

}  // namespace

Status Session::RunExplain(const StatementRun& run) {
  const auto& explain = run.statement.As<ExplainStmt>();
  RETURN_IF_ERROR(explain.analyze ? CheckMayAnalyze(explain) : Status::Ok());
  BindInput input;
  input.environment = context_.get();
  input.text = run.text;
  input.parameters = run.parameters;
  StatementFacts facts;
  std::shared_ptr<BoundQuery> query;
  std::string changed;  // the table that a change writes
  std::string verb;
  switch (explain.statement->kind) {
    case StmtKind::kSelect: {
      ASSIGN_OR_RETURN(query, BindQuery(*explain.statement->As<SelectStmt>().query, input, &facts));
      break;
    }
    case StmtKind::kUpdate: {
      ASSIGN_OR_RETURN(std::unique_ptr<BoundUpdate> update,
                       BindUpdate(explain.statement->As<UpdateStmt>(), input, &facts));
      query = update->query;
      verb = "UPDATE";
      break;
    }
    case StmtKind::kDelete: {
      ASSIGN_OR_RETURN(std::unique_ptr<BoundDelete> deletion,
                       BindDelete(explain.statement->As<DeleteStmt>(), input, &facts));
      query = deletion->query;
      verb = "DELETE";
      break;
    }
    case StmtKind::kInsert: {
      ASSIGN_OR_RETURN(std::unique_ptr<BoundInsert> insert,
                       BindInsert(explain.statement->As<InsertStmt>(), input, &facts));
      query = insert->query;
      verb = insert->replace ? "REPLACE" : "INSERT";
      changed = insert->table->name;
      break;
    }
    default:
      return UserError(ER_NOT_SUPPORTED_YET, "EXPLAIN of this statement");
  }

  RETURN_IF_ERROR(CheckMayExplain(facts, security_));
  if (explain.analyze) {
    return AnalyzeQuery(*query, facts, run);
  }
  std::vector<ExplainRow> rows;
  if (!changed.empty()) {
    ExplainRow row;
    row.block = 1;
    row.select_type = verb;
    row.table = changed;
    row.type = "ALL";
    rows.push_back(std::move(row));
  }
  if (query != nullptr) {
    RETURN_IF_ERROR(ExplainQuery(*query, changed.empty() ? verb : "", &rows));
  }
  switch (explain.format) {
    case ExplainFormat::kTree:
      return SendExplainText(ExplainAsTree(rows), run.sink);
    case ExplainFormat::kJson:
      return SendExplainText(ExplainAsJson(rows), run.sink);
    default:
      return SendExplain(rows, run.sink);
  }
}

Status Session::SendExplainText(const std::string& text, ResultSink& sink) {
  constexpr uint64_t kPlanChars = 78;  // what clients are told, however long it is
  const ResultColumn column = TextColumn("EXPLAIN", kPlanChars);
  RETURN_IF_ERROR(sink.OnColumns({&column, 1}));
  const row::Value value = row::Value::View(text);
  return sink.OnRow({&value, 1});
}

Status Session::ExplainQuery(const BoundQuery& query, std::string_view verb,
                             std::vector<ExplainRow>* rows) {
  ASSIGN_OR_RETURN(QueryMachine * machine, Machine());
  LoweringOptions options;
  options.keep_values = verb.empty();
  ASSIGN_OR_RETURN(std::unique_ptr<CompiledQuery> compiled,
                   machine->Compile(query, *environment_.catalog, options));
  ASSIGN_OR_RETURN(std::vector<QueryMachine::PlanStep> steps, machine->Explain(*compiled));
  Blocks blocks;
  blocks.Walk(query, "SIMPLE");
  blocks.Finish();
  std::map<uint32_t, const BoundTable*> tables = blocks.functions();
  for (const ModuleUse& use : compiled->lowered().modules) {
    tables[use.table->id] = use.table;
  }
  std::vector<std::string> sort_notes;
  for (const ComputedTable& table : compiled->lowered().computed) {
    if (table.grouping != nullptr && sort_notes.empty()) {
      sort_notes.push_back("Using temporary");
    }
  }
  std::set<uint32_t> visited;  // tables, by id, that are read around the next one
  for (const QueryMachine::PlanStep& step : steps) {
    uint32_t id = 0;
    std::string plan_text;
    if (step.detail.find("USE TEMP B-TREE FOR ORDER BY") != std::string::npos) {
      sort_notes.push_back("Using filesort");
    } else if (step.detail.find("USE TEMP B-TREE FOR") != std::string::npos) {
      sort_notes.push_back("Using temporary");
    }
    if (!ParseScan(step.detail, &id, &plan_text) || !tables.contains(id)) {
      continue;
    }
    const BoundTable& table = *tables[id];
    ExplainRow row;
    row.table = table.alias;
    row.table_number = id;
    if (auto found = blocks.by_table().find(id); found != blocks.by_table().end()) {
      row.block = found->second.id;
      row.select_type = found->second.type;
    }
    if (!verb.empty() && row.block == 1) {
      row.select_type = verb;
    }
    std::optional<TablePlan> plan = TablePlan::Decode(plan_text);
    if (table.kind == BoundTableKind::kJsonTable) {
      row.type = "ALL";
      row.extra.emplace_back("Table function: json_table");
    } else if (table.system != nullptr || !plan.has_value()) {
      row.type = "ALL";
    } else {
      DescribeAccess(table, *plan, blocks.equalities(), visited, &row);
    }
    visited.insert(id);
    rows->push_back(std::move(row));
  }
  for (const Block& block : blocks.no_tables()) {
    ExplainRow row;
    row.block = block.id;
    row.select_type = block.type;
    row.has_table = false;
    row.extra.push_back("No tables used");
    rows->push_back(std::move(row));
  }
  std::stable_sort(rows->begin(), rows->end(),
                   [](const ExplainRow& a, const ExplainRow& b) { return a.block < b.block; });
  for (ExplainRow& row : *rows) {
    row.rollup = blocks.IsRollup(row.block);
  }
  if (!rows->empty()) {
    const BoundSelect* select = OuterSelect(query);
    ExplainRow& first = rows->front();
    if (TestsRows(select, first) && !first.Notes("Using where")) {
      first.extra.emplace_back("Using where");
      std::rotate(first.extra.begin(), first.extra.end() - 1, first.extra.end());
    }
    for (std::string& note : sort_notes) {
      if (std::find(first.extra.begin(), first.extra.end(), note) == first.extra.end()) {
        first.extra.push_back(std::move(note));
      }
    }
  }
  return {};
}

Status Session::SendExplain(const std::vector<ExplainRow>& rows, ResultSink& sink) {
  using row::Type;
  using row::Value;
  Type percent = Type::Double();
  percent.scale = 2;
  constexpr uint64_t kPartitionsChars = uint64_t{8192} * 257;  // of all that there may be
  const ResultColumn columns[] = {
      NumberColumn("id", Type::BigInt(true).NotNull(), 4),
      TextColumn("select_type", 19),
      TextColumn("table", 64, true),
      TextColumn("partitions", kPartitionsChars, true),
      TextColumn("type", 10, true),
      TextColumn("possible_keys", 4096, true),
      TextColumn("key", 64, true),
      TextColumn("key_len", 4096, true),
      TextColumn("ref", 1024, true),
      NumberColumn("rows", Type::BigInt(true), 11),
      NumberColumn("filtered", percent, 4),
      TextColumn("Extra", 255),
  };
  RETURN_IF_ERROR(sink.OnColumns(columns));
  auto text = [](const std::string& value) {
    return value.empty() ? Value::Null() : Value::View(value);
  };
  for (const ExplainRow& row : rows) {
    std::string extra;
    for (const std::string& note : row.extra) {
      extra += (extra.empty() ? "" : "; ") + note;
    }
    std::vector<Value> values = {
        Value::Uint(static_cast<uint64_t>(row.block)),
        Value::View(row.select_type),
        text(row.table),
        Value::Null(),
        text(row.type),
        text(row.possible_keys),
        text(row.key),
        text(row.key_length),
        text(row.ref),
        row.has_table && row.rows != 0 ? Value::Uint(row.rows) : Value::Null(),
        row.has_table && row.rows != 0 ? Value::Double(100) : Value::Null(),
        text(extra),
    };
    RETURN_IF_ERROR(sink.OnRow(values));
  }
  return {};
}

}  // namespace borealis::sql
