#include "sql/sqlite/distinct_arguments.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/coding.h"
#include "base/fault.h"
#include "row/value_bytes.h"

namespace borealis::sql {
namespace {

using row::Value;

constexpr size_t kSortBytes = size_t{16} << 20;

}  // namespace

Result<bool> DistinctArguments::Admit(uint32_t group, uint32_t aggregate,
                                      const row::KeySchema& schema, std::span<const Value> args,
                                      bool full) {
  const std::span<const Value> counting = args.first(schema.size());
  if (std::ranges::any_of(counting, &Value::is_null)) {
    return false;
  }
  key_.clear();
  AppendBig<uint32_t>(&key_, group);
  AppendBig<uint32_t>(&key_, aggregate);
  RETURN_IF_ERROR(row::EncodeKey(schema, counting, &key_));
  if (!full) {
    return seen_.Add(key_, 0);
  }
  if (seen_.Find(key_) != KeyIndex::kNone) {
    return false;
  }
  if (aside_ == nullptr) {
    COVER("distinct_arguments.spilled");
    aside_ = std::make_unique<engine::SortedRuns>(temporary_directory_(), kSortBytes);
  }
  std::string bytes;
  for (const Value& value : args) {
    row::AppendValue(value, &bytes);
  }
  RETURN_IF_ERROR(aside_->Add(key_, bytes));
  return false;
}

Status DistinctArguments::SeeThoseAside(const See& see) {
  ASSIGN_OR_RETURN(const std::unique_ptr<engine::SortedRuns::Reader> reader, aside_->Read());
  std::string last;
  std::vector<Value> args;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, reader->Next());
    if (!more) {
      return {};
    }
    if (reader->key() == last) {
      continue;
    }
    last = reader->key();
    ByteReader place(last);
    const auto group = place.Big<uint32_t>();
    const auto aggregate = place.Big<uint32_t>();
    ByteReader bytes(reader->value());
    args.clear();
    while (!bytes.empty()) {
      ASSIGN_OR_RETURN(Value value, row::ReadValue(&bytes));
      args.push_back(std::move(value));
    }
    RETURN_IF_ERROR(see(group, aggregate, args));
  }
}

Status DistinctArguments::Finish(const See& see) {
  Status seen = aside_ == nullptr ? Status() : SeeThoseAside(see);
  aside_.reset();
  seen_ = KeyIndex();
  return seen;
}

}  // namespace borealis::sql
