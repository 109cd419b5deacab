// CASCADE and SET NULL: rows of children follow the row that they refer to.
//
// The children's rows are locked as they are met and changed by their table's own writer, which
// keeps that table's keys in turn; the recursion is bounded as InnoDB bounds it. Checks are not
// tried and ON UPDATE CURRENT_TIMESTAMP does nothing, as in MySQL; generated columns are computed.
#include "base/fault.h"
#include "base/mysql_error.h"
#include "sql/executor/change/foreign_key_check.h"
#include "sql/executor/change/table_writer.h"
#include "sql/executor/definition/foreign_key_names.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

constexpr size_t kCascadeDepthMax = 15;  // as InnoDB

}  // namespace

bool ForeignKeyGuard::IsBeingDeleted(uint64_t table_id, std::string_view clustered_key) const {
  for (const CascadeState::Frame& frame : cascades_->frames) {
    if (frame.is_delete && frame.table_id == table_id && frame.clustered_key == clustered_key) {
      return true;
    }
  }
  return false;
}

bool ForeignKeyGuard::IsBeingUpdated(uint64_t table_id) const {
  for (const CascadeState::Frame& frame : cascades_->frames) {
    if (!frame.is_delete && frame.table_id == table_id) {
      return true;
    }
  }
  return false;
}

Result<TableWriter*> ForeignKeyGuard::WriterOf(const Child& child) {
  std::unique_ptr<TableWriter>& writer = cascades_->writers[child.table->table_id];
  if (writer == nullptr) {
    ASSIGN_OR_RETURN(writer, TableWriter::ForCascades(run_, child.engine_table, cascades_));
  }
  return writer.get();
}

// `after`: the parent's row as it is now; null when it goes.
Status ForeignKeyGuard::Cascade(Child* child, const RowValues& before, const RowValues* after) {
  RowValues key;
  for (const uint32_t column : child->columns) {
    if (before[column].is_null()) {
      return {};
    }
    key.push_back(before[column].Borrow());
  }
  ReferenceSearch search(transaction_, child->engine_table, child->index_no);
  ASSIGN_OR_RETURN(bool found, search.Find(key, engine::LockMode::kExclusive, /*all=*/true));
  while (found) {
    RETURN_IF_ERROR(run_.session.CheckInterrupt());
    const std::string clustered_key(search.cursor().clustered_key());
    if (!IsBeingDeleted(child->table->table_id, clustered_key)) {
      ASSIGN_OR_RETURN(const std::string_view row, search.cursor().row());
      RETURN_IF_ERROR(CascadeToRow(child, clustered_key, row, after));
    }
    ASSIGN_OR_RETURN(found, search.Next());
  }
  return {};
}

Status ForeignKeyGuard::CascadeToRow(Child* child, std::string_view clustered_key,
                                     std::string_view row, const RowValues* after) {
  if (cascades_->frames.size() >= kCascadeDepthMax) {
    return UserError(ER_FK_DEPTH_EXCEEDED, kCascadeDepthMax);
  }
  ASSIGN_OR_RETURN(TableWriter * writer, WriterOf(*child));
  ASSIGN_OR_RETURN(const RowValues old_row, writer->Decode(row));
  if (after == nullptr && child->key->on_delete == ForeignKeyAction::kCascade) {
    return writer->DeleteInCascade(clustered_key, old_row);
  }
  if (IsBeingUpdated(child->table->table_id)) {
    // An update that comes back to a table it came from could go round for ever; as InnoDB, none
    // is tried.
    COVER("foreign_key.cyclic_update");
    return RowIsReferenced(run_.session, *child->table, *child->key);
  }
  RowValues new_row = old_row;
  RETURN_IF_ERROR(GiveNewKey(*child, after, &new_row));
  size_t duplicate = 0;
  Status updated =
      writer->UpdateInCascade(clustered_key, old_row, &new_row, child->key, &duplicate);
  if (updated.Is(Code::kAlreadyExists)) {
    return UserError(ER_FOREIGN_DUPLICATE_KEY_WITH_CHILD_INFO, table_->name,
                     writer->KeyText(new_row, duplicate), child->table->name,
                     child->table->indexes[duplicate].name);
  }
  return updated;
}

// NULL, or the parent's new values. 1451 when the child's columns cannot hold them.
Status ForeignKeyGuard::GiveNewKey(const Child& child, const RowValues* after, RowValues* row) {
  const bool to_null = after == nullptr || child.key->on_update == ForeignKeyAction::kSetNull;
  for (size_t i = 0; i < child.columns.size(); ++i) {
    const ColumnDescriptor& to = child.table->columns[child.key->columns[i]];
    row::Value& value = (*row)[child.key->columns[i]];
    if (to_null) {
      value = row::Value::Null();
      continue;
    }
    const uint32_t from = child.columns[i];
    if ((*after)[from].is_null() && !to.type.nullable) {
      return RowIsReferenced(run_.session, *child.table, *child.key);
    }
    row::ConversionContext strict;
    auto converted = row::StoreConvert((*after)[from], table_->columns[from].type, to.type, strict);
    if (!converted.ok()) {
      return RowIsReferenced(run_.session, *child.table, *child.key);
    }
    value = std::move(converted).value();
    value.Own();
  }
  return {};
}

}  // namespace borealis::sql
