// Carries out a changed table draft: decides what the stored rows and indexes need, and has the
// engine do it in one step.
//
//   description   nothing stored changes: names, defaults, comments, order, columns dropped or
//                 added (which rows written before read as their default); StoredForm keeps track
//   build         an index is made or dropped
//   rewrite       every row is made anew (RowRewriter), and all indexes
//
// INV-DDL-1  Without a rewrite, a column of the new table that the old one had has the place that
// it
//            had (INV-CAT-2) and is stored alike: rows of the old form are rows of the new.
#pragma once

#include <optional>

#include "sql/ast/ddl.h"
#include "sql/executor/definition/table_draft.h"

namespace borealis::sql {

struct AlterationRequest {
  TablePtr old;
  OnlineDdlOptions online;
  bool nothing = false;  // no action but a new name and ENABLE or DISABLE KEYS
  bool force = false;    // FORCE, ENGINE = InnoDB, ORDER BY: rebuild
  // A check was turned on: all rows must pass.
  bool check_rows = false;
  std::optional<uint64_t> auto_increment;  // AUTO_INCREMENT = n
  std::optional<engine::TableName> rename;
};

// kRetry: another definition statement changed the table meanwhile; start again from its new form.
Status AlterByDraft(StatementRun& run, const engine::TableName& name, TableDraft* draft,
                    const AlterationRequest& request);

}  // namespace borealis::sql
