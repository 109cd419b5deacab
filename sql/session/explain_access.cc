#include "sql/session/explain_access.h"

#include <algorithm>

#include "row/collation.h"
#include "sql/binder/binder_internal.h"

namespace borealis::sql {
namespace {

using Use = PlanArgument::Use;

const BoundExpr& WithoutConversion(const BoundExpr& expr) {
  const BoundExpr* at = &expr;
  while (const auto* convert = at->TryAs<BoundConvert>()) {
    at = convert->args[0].get();
  }
  return *at;
}

// Bytes that MySQL counts for a key part.
uint32_t PartLength(const TableDescriptor& table, const IndexPart& part) {
  const row::Type& type = table.columns[part.column].type;
  uint32_t length = type.nullable ? 1 : 0;
  switch (type.kind) {
    case row::TypeKind::kTinyInt:
    case row::TypeKind::kYear:
      return length + 1;
    case row::TypeKind::kSmallInt:
      return length + 2;
    case row::TypeKind::kMediumInt:
    case row::TypeKind::kDate:
      return length + 3;
    case row::TypeKind::kInt:
    case row::TypeKind::kFloat:
      return length + 4;
    case row::TypeKind::kDateTime:
      return length + 5 + (type.scale + 1) / 2;
    case row::TypeKind::kTimestamp:
      return length + 4 + (type.scale + 1) / 2;
    case row::TypeKind::kTime:
      return length + 3 + (type.scale + 1) / 2;
    case row::TypeKind::kDecimal: {
      auto bytes = [](uint32_t digits) {
        static constexpr uint32_t kRest[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
        return digits / 9 * 4 + kRest[digits % 9];
      };
      return length + bytes(type.length - type.scale) + bytes(type.scale);
    }
    case row::TypeKind::kEnum:
      return length + (type.members != nullptr && type.members->size() > 255 ? 2 : 1);
    case row::TypeKind::kBit:
      return length + (type.length + 7) / 8;
    default:
      break;
  }
  if (type.is_string()) {
    uint32_t units =
        part.prefix_length != 0 ? part.prefix_length : static_cast<uint32_t>(MaxLength(type));
    uint32_t width =
        type.is_text()
            ? static_cast<uint32_t>(row::GetCollation(type.collation).charset().max_bytes)
            : 1;
    bool fixed = type.kind == row::TypeKind::kChar || type.kind == row::TypeKind::kBinary;
    return length + units * width + (fixed ? 0 : 2);
  }
  return length + 8;
}

}  // namespace

void Equalities::Add(const BoundExpr& condition) {
  if (const auto* logical = condition.TryAs<BoundLogical>(); logical != nullptr) {
    if (logical->is_and) {
      for (const BoundPtr& arg : logical->args) {
        Add(*arg);
      }
    }
    return;
  }
  const auto* compare = condition.TryAs<BoundCompare>();
  if (compare == nullptr ||
      (compare->op != CompareOp::kEqual && compare->op != CompareOp::kNullSafeEqual)) {
    return;
  }
  for (const size_t side : {0, 1}) {
    const auto* column = WithoutConversion(*compare->args[side]).TryAs<BoundColumn>();
    if (column != nullptr) {
      list_.push_back({column, &WithoutConversion(*compare->args[1 - side])});
    }
  }
}

std::string Equalities::RefOf(const BoundTable& table, uint32_t column,
                              const std::set<uint32_t>& visited) const {
  Seen seen;
  return Find(table, column, visited, &seen).value_or("const");
}

std::optional<std::string> Equalities::Find(const BoundTable& table, uint32_t column,
                                            const std::set<uint32_t>& visited, Seen* seen) const {
  seen->emplace(table.id, column);
  std::optional<std::string> best;
  for (const Equality& equality : list_) {
    if (equality.column->table != &table || equality.column->column != column) {
      continue;
    }
    bool known = true;
    bool fixed = true;
    Walk(*equality.value, [&](const BoundExpr& part) {
      const auto* other = part.TryAs<BoundColumn>();
      fixed = fixed && other == nullptr && SubqueryOf(part) == nullptr;
      known = known && (other == nullptr || visited.contains(other->table->id));
    });
    if (fixed) {
      return "const";
    }
    const auto* other = equality.value->TryAs<BoundColumn>();
    const bool plain = other != nullptr && other->column != kHandleColumn;
    if (known && plain) {
      const BoundTable& of = *other->table;
      return (of.schema.empty() ? "" : of.schema + ".") + of.alias + "." +
             of.columns[other->column].name;
    }
    if (known) {
      best = "func";
    } else if (plain && !seen->contains({other->table->id, other->column})) {
      // a = b and b = c say a = c.
      std::optional<std::string> through = Find(*other->table, other->column, visited, seen);
      best = through.has_value() ? std::move(through) : std::move(best);
    }
  }
  return best;
}

void DescribeAccess(const BoundTable& table, const TablePlan& plan, const Equalities& equalities,
                    const std::set<uint32_t>& visited, ExplainRow* row) {
  const TableDescriptor& descriptor = *table.table;
  const IndexDescriptor& index = descriptor.indexes[plan.index];
  size_t equal = 0;
  bool range = false;
  bool in = false;
  for (const PlanArgument& argument : plan.arguments) {
    switch (argument.use) {
      case Use::kEqual:
      case Use::kSame:
      case Use::kIsNull:
        ++equal;
        break;
      case Use::kIn:
        ++equal;
        in = true;
        break;
      default:
        range = true;
    }
  }
  row->rows = std::max<uint64_t>(plan.rows, 1);
  if (!plan.hash_columns.empty()) {
    row->type = "ALL";
    row->extra.push_back("Using where");
    row->extra.push_back("Using join buffer (hash join)");
    return;
  }
  if (plan.by_handle) {
    row->type = "eq_ref";
    row->key = "PRIMARY";
    row->rows = 1;
    return;
  }
  bool named = index.kind != IndexKind::kRowId;
  if (equal == 0 && !range) {
    row->type = plan.index == 0 && !plan.reverse ? "ALL" : "index";
    if (plan.index == 0) {
      row->type = "ALL";
    }
  } else if (range || in) {
    row->type = "range";
  } else {
    row->type = plan.unique_point ? "const" : "ref";
  }
  if (row->type != "ALL" && named) {
    row->key = index.name;
    row->possible_keys = equal + (range ? 1 : 0) > 0 ? index.name : "";
    uint32_t length = 0;
    size_t parts = row->type == "index" ? index.parts.size() : equal + (range ? 1 : 0);
    for (size_t i = 0; i < std::min(parts, index.parts.size()); ++i) {
      length += PartLength(descriptor, index.parts[i]);
    }
    row->key_length = std::to_string(length);
    if (row->type == "const" || row->type == "ref") {
      bool constant = true;
      for (size_t i = 0; i < equal; ++i) {
        const std::string ref = equalities.RefOf(table, index.parts[i].column, visited);
        constant = constant && ref == "const";
        row->ref += (i == 0 ? "" : ",") + ref;
      }
      row->type = plan.unique_point && !constant ? "eq_ref" : row->type;
    }
  }
  if (plan.covering) {
    row->extra.push_back("Using index");
  }
}

}  // namespace borealis::sql
