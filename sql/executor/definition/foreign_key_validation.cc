#include "sql/executor/definition/foreign_key_validation.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/mysql_error.h"
#include "engine/transaction.h"
#include "row/convert.h"
#include "row/key_codec.h"
#include "row/row_codec.h"
#include "sql/catalog/row_layout.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/foreign_key_names.h"
#include "sql/executor/definition/foreign_key_relations.h"
#include "sql/session/session.h"

namespace borealis::sql {

struct ForeignKeyValidation::Key {
  const ForeignKeyDescriptor* key = nullptr;
  bool prepared = false;
  // Another table: rows are looked for. The table itself: its old rows' keys are collected, since
  // the index that serves the key may be made by the same statement.
  engine::TableRef parent;
  std::unique_ptr<ReferenceSearch> search;
  row::KeySchema own_schema;
  std::set<std::string> own_keys;
};

ForeignKeyValidation::ForeignKeyValidation(StatementRun& run, TablePtr before, TablePtr after,
                                           const std::vector<int>& sources)
    : run_(run), before_(std::move(before)), after_(std::move(after)), sources_(sources) {
  for (const ForeignKeyDescriptor& key : after_->foreign_keys) {
    const bool is_old =
        std::any_of(before_->foreign_keys.begin(), before_->foreign_keys.end(),
                    [&](const ForeignKeyDescriptor& old) {
                      const auto number = NumberOfMadeForeignKey(old.name, before_->name);
                      return SameName(old.name, key.name) ||
                             (number.has_value() &&
                              SameName(MadeForeignKeyName(after_->name, *number), key.name));
                    });
    if (!is_old) {
      keys_.push_back(std::make_unique<Key>());
      keys_.back()->key = &key;
    }
  }
}

ForeignKeyValidation::~ForeignKeyValidation() = default;

Status ForeignKeyValidation::Prepare(Key* key) {
  key->prepared = true;
  if (transaction_ == nullptr) {
    engine::TransactionOptions options;
    Session* session = &run_.session;
    options.isolation = engine::Isolation::kReadCommitted;
    options.killed = [session] { return session->interrupted(); };
    options.session_id = session->identity().connection_id;
    transaction_ = EngineOf(run_).Begin(std::move(options));
  }
  const bool is_own = (key->key->schema == before_->schema && key->key->table == before_->name) ||
                      (key->key->schema == after_->schema && key->key->table == after_->name);
  ASSIGN_OR_RETURN(key->parent, is_own
                                    ? EngineOf(run_).FindTable(before_->schema, before_->name)
                                    : EngineOf(run_).FindTable(key->key->schema, key->key->table));
  if (is_own) {
    return CollectOwnKeys(key);
  }
  const TableDescriptor& parent = *DescriptorOf(*key->parent);
  const int index = parent.FindIndexOn(ParentColumns(*key->key, parent));
  if (index < 0) {
    return Status::Internal("foreign key " + key->key->name + " has no index in its parent");
  }
  key->search =
      std::make_unique<ReferenceSearch>(*transaction_, key->parent, static_cast<size_t>(index));
  return {};
}

Status ForeignKeyValidation::CollectOwnKeys(Key* key) {
  const std::vector<uint32_t> columns = ParentColumns(*key->key, *after_);
  for (const uint32_t column : columns) {
    key->own_schema.push_back({after_->columns[column].type, false, 0});
  }
  engine::ScanOptions options;
  options.lock = engine::LockMode::kShared;
  ASSIGN_OR_RETURN(auto cursor, engine::OpenCursor(*transaction_, key->parent, options));
  const row::RowSchema schema = MakeRowSchema(*before_);
  row::ConversionContext strict;
  for (;;) {
    RETURN_IF_ERROR(run_.session.CheckInterrupt());
    ASSIGN_OR_RETURN(const bool more, cursor->Next());
    if (!more) {
      return {};
    }
    ASSIGN_OR_RETURN(const std::string_view bytes, cursor->row());
    ASSIGN_OR_RETURN(const row::RowView view, row::RowView::Open(schema, bytes));
    std::string own_key;
    bool has_null = false;
    for (size_t i = 0; i < columns.size() && !has_null; ++i) {
      const int source = sources_[columns[i]];
      if (source < 0) {
        has_null = true;  // a new column: refers to no old row
        break;
      }
      ASSIGN_OR_RETURN(row::Value value, view.Get(static_cast<size_t>(source)));
      has_null = value.is_null();
      ASSIGN_OR_RETURN(value,
                       row::StoreConvert(value, before_->columns[static_cast<size_t>(source)].type,
                                         key->own_schema[i].type, strict));
      RETURN_IF_ERROR(row::EncodeKeyPart(key->own_schema[i], value, &own_key));
    }
    if (!has_null) {
      key->own_keys.insert(std::move(own_key));
    }
    cursor->UnlockRow();
  }
}

Result<bool> ForeignKeyValidation::HasParent(Key* key, const std::vector<row::Value>& values) {
  if (key->search == nullptr) {
    std::string own_key;
    RETURN_IF_ERROR(row::EncodeKey(key->own_schema, values, &own_key));
    return key->own_keys.contains(own_key);
  }
  ASSIGN_OR_RETURN(const bool found,
                   key->search->Find(values, engine::LockMode::kShared, /*all=*/false));
  if (found) {
    key->search->cursor().UnlockRow();
  }
  return found;
}

Status ForeignKeyValidation::Check(const std::vector<row::Value>& row) {
  for (const auto& key : keys_) {
    std::vector<row::Value> values;
    for (const uint32_t column : key->key->columns) {
      if (!row[column].is_null()) {
        values.push_back(row[column].Borrow());
      }
    }
    if (values.size() < key->key->columns.size()) {
      continue;  // MATCH SIMPLE: no parent is asked for
    }
    if (!key->prepared) {
      RETURN_IF_ERROR(Prepare(key.get()));
    }
    ASSIGN_OR_RETURN(const bool found, HasParent(key.get(), values));
    if (!found) {
      // MySQL names the copy that it fills.
      const std::string copy = fmt::format("#sql-1_{:x}", run_.session.identity().connection_id);
      return UserError(ER_NO_REFERENCED_ROW_2,
                       ForeignKeyText(run_.session, *after_, *key->key, copy));
    }
  }
  return {};
}

}  // namespace borealis::sql
