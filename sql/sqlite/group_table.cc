#include "sql/sqlite/group_table.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/coding.h"
#include "base/fault.h"
#include "row/value_bytes.h"

namespace borealis::sql {
namespace {

using row::Type;
using row::Value;
using row::ValueKind;

constexpr size_t kSortBytes = size_t{16} << 20;
// Of an output: the value or the aggregator's pointer, and a share of the allocations.
constexpr size_t kOutputBytes = sizeof(Value) + 32;
// After the key in the sort on disk: the row's number, which keeps rows of one group in order.
constexpr size_t kNumberBytes = sizeof(uint64_t);

bool EqualIsSame(const Type& type) {
  return !type.is_text() && type.kind != row::TypeKind::kJson;
}

}  // namespace

GroupTable::GroupTable(const Grouping* grouping, EvalContext* eval, Options options)
    : grouping_(*grouping),
      eval_(*eval),
      options_(std::move(options)),
      distinct_(options_.temporary_directory) {
  for (size_t i = 0; i < grouping_.keys; ++i) {
    schema_.push_back({grouping_.inputs[i]});
    equal_is_same_ = equal_is_same_ && EqualIsSame(grouping_.inputs[i]);
  }
  results_.resize(grouping_.outputs.size());
  for (const Grouping::Output& output : grouping_.outputs) {
    auto& aggregate = aggregates_.emplace_back();
    if (output.aggregate.has_value()) {
      aggregate.emplace().spec = *output.aggregate;
      if (std::exchange(aggregate->spec.distinct, false)) {
        for (const Type& type : aggregate->spec.arg_types) {
          aggregate->distinct.push_back({type});
        }
      }
    }
  }
}

Status GroupTable::EncodeKeys(std::span<const Value> row) {
  bytes_.clear();
  for (size_t i = 0; i < grouping_.keys; ++i) {
    const Value& value = row[i];
    bytes_.push_back(static_cast<char>(value.kind()));
    switch (value.kind()) {
      case ValueKind::kNull:
        break;
      case ValueKind::kString:
        AppendSized(&bytes_, value.bytes());
        break;
      case ValueKind::kDecimal:
        RETURN_IF_ERROR(row::EncodeKeyPart(schema_[i], value, &bytes_));
        break;
      case ValueKind::kDouble:  // 0 and -0 are one
        AppendLittle(&bytes_, std::bit_cast<uint64_t>(value.double_value() + 0.0));
        break;
      default:
        AppendLittle(&bytes_, static_cast<uint64_t>(value.raw_int()));
    }
  }
  return {};
}

Status GroupTable::EncodeSortKey(std::span<const Value> row) {
  sort_key_.clear();
  return row::EncodeKey(schema_, row.first(grouping_.keys), &sort_key_);
}

Result<uint32_t> GroupTable::Find(std::span<const Value> row) {
  RETURN_IF_ERROR(EncodeKeys(row));
  uint32_t found = same_bytes_.Find(bytes_);
  if (found != KeyIndex::kNone || equal_is_same_) {
    return found;
  }
  RETURN_IF_ERROR(EncodeSortKey(row));
  found = equal_.Find(sort_key_);
  if (found != KeyIndex::kNone && !IsFull()) {
    same_bytes_.Add(bytes_, found);
  }
  return found;
}

Result<GroupTable::Group> GroupTable::MakeGroup(std::span<const Value> row) const {
  Group group;
  group.firsts.resize(grouping_.outputs.size());
  group.aggregators.resize(grouping_.outputs.size());
  for (size_t i = 0; i < grouping_.outputs.size(); ++i) {
    if (aggregates_[i].has_value()) {
      ASSIGN_OR_RETURN(group.aggregators[i], MakeAggregator(aggregates_[i]->spec));
    } else {
      group.firsts[i] = row[grouping_.outputs[i].input];
      group.firsts[i].Own();
    }
  }
  return group;
}

Status GroupTable::Step(uint32_t number, Group* group, std::span<const Value> row) {
  for (size_t i = 0; i < aggregates_.size(); ++i) {
    if (!aggregates_[i].has_value()) {
      continue;
    }
    const Grouping::Output& output = grouping_.outputs[i];
    const std::span<const Value> args = row.subspan(output.input, output.arguments);
    if (const row::KeySchema& schema = aggregates_[i]->distinct; !schema.empty()) {
      ASSIGN_OR_RETURN(const bool counts,
                       distinct_.Admit(number, static_cast<uint32_t>(i), schema, args, IsFull()));
      if (!counts) {
        continue;
      }
    }
    RETURN_IF_ERROR(group->aggregators[i]->Step(eval_, args));
  }
  return {};
}

Status GroupTable::FinishDistinct(Group* first) {
  return distinct_.Finish([&](uint32_t group, uint32_t output, std::span<Value> args) {
    return first[group].aggregators[output]->Step(eval_, args);
  });
}

Status GroupTable::PutAside(std::span<const Value> row) {
  if (rest_ == nullptr) {
    COVER("group_table.spilled");
    rest_ = std::make_unique<engine::SortedRuns>(options_.temporary_directory(), kSortBytes);
  }
  RETURN_IF_ERROR(EncodeSortKey(row));
  AppendBig<uint64_t>(&sort_key_, rest_->count());
  std::string bytes;
  for (const Value& value : row) {
    row::AppendValue(value, &bytes);
  }
  return rest_->Add(sort_key_, bytes);
}

Status GroupTable::Add(std::span<const Value> row) {
  ASSIGN_OR_RETURN(uint32_t at, Find(row));
  if (at == KeyIndex::kNone && IsFull()) {
    return PutAside(row);
  }
  if (at == KeyIndex::kNone) {
    at = static_cast<uint32_t>(groups_.size());
    ASSIGN_OR_RETURN(Group made, MakeGroup(row));
    groups_.push_back(std::move(made));
    same_bytes_.Add(bytes_, at);
    if (!equal_is_same_) {
      equal_.Add(sort_key_, at);
    }
    group_bytes_ += sizeof(Group) + grouping_.outputs.size() * kOutputBytes;
    for (size_t i = 0; i < grouping_.outputs.size(); ++i) {
      const Value& first = groups_[at].firsts[i];
      const auto& aggregator = groups_[at].aggregators[i];
      group_bytes_ += (first.is_string() ? first.bytes().size() : 0) +
                      (aggregator != nullptr ? aggregator->memory_bytes() : 0);
    }
  }
  return Step(at, &groups_[at], row);
}

Status GroupTable::Give(Group* group) {
  for (size_t i = 0; i < grouping_.outputs.size(); ++i) {
    if (group->aggregators[i] == nullptr) {
      results_[i] = std::move(group->firsts[i]);
      continue;
    }
    RETURN_IF_ERROR(group->aggregators[i]->Finish(eval_, &results_[i]));
    results_[i].Own();
  }
  group->aggregators.clear();
  return {};
}

Result<bool> GroupTable::Next() {
  if (!std::exchange(complete_, true)) {
    RETURN_IF_ERROR(FinishDistinct(groups_.data()));
  }
  if (next_ == groups_.size()) {
    return NextFromDisk();
  }
  RETURN_IF_ERROR(Give(&groups_[next_++]));
  return true;
}

Status GroupTable::ReadRow(std::string_view bytes) {
  ByteReader reader(bytes);
  row_.clear();
  for (size_t i = 0; i < grouping_.inputs.size(); ++i) {
    ASSIGN_OR_RETURN(Value value, row::ReadValue(&reader));
    row_.push_back(std::move(value));
  }
  return {};
}

Result<bool> GroupTable::NextFromDisk() {
  if (rest_ == nullptr) {
    return false;
  }
  if (reader_ == nullptr) {
    // Those from disk have the memory.
    groups_ = std::vector<Group>();
    next_ = 0;
    group_bytes_ = 0;
    same_bytes_ = KeyIndex();
    equal_ = KeyIndex();
    ASSIGN_OR_RETURN(reader_, rest_->Read());
    ASSIGN_OR_RETURN(reader_has_row_, reader_->Next());
  }
  if (!reader_has_row_) {
    return false;
  }
  const auto key_of_row = [this] {
    return reader_->key().substr(0, reader_->key().size() - kNumberBytes);
  };
  const std::string key(key_of_row());
  RETURN_IF_ERROR(ReadRow(reader_->value()));
  ASSIGN_OR_RETURN(Group group, MakeGroup(row_));
  while (reader_has_row_ && key_of_row() == key) {
    RETURN_IF_ERROR(ReadRow(reader_->value()));
    RETURN_IF_ERROR(Step(0, &group, row_));
    ASSIGN_OR_RETURN(reader_has_row_, reader_->Next());
  }
  RETURN_IF_ERROR(FinishDistinct(&group));
  RETURN_IF_ERROR(Give(&group));
  return true;
}

}  // namespace borealis::sql
