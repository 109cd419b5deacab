// Carries out a changed table draft: decides what the stored rows and indexes need, and has the
// engine do it in one step.
//
//   description   nothing stored changes: names, defaults, comments, columns added at the end
//                 (which rows written before read as their default)
//   build         an index is made or dropped
//   rewrite       every row is made anew (RowRewriter), and all indexes
//
// INV-DDL-1  Without a rewrite, column i of the old table is column i of the new one and is stored
//            alike: rows of the old form are rows of the new.
#pragma once

#include <optional>

#include "sql/ast/ddl.h"
#include "sql/executor/table_draft.h"

namespace borealis::sql {

struct AlterationRequest {
  TablePtr old;
  OnlineDdlOptions online;
  bool force = false;  // FORCE, ENGINE = InnoDB, ORDER BY: rebuild
  // A check was turned on: all rows must pass.
  bool check_rows = false;
  std::optional<uint64_t> auto_increment;  // AUTO_INCREMENT = n
  std::optional<engine::TableName> rename;
};

// kRetry: another definition statement changed the table meanwhile; start again from its new form.
Status AlterByDraft(StatementRun& run, const engine::TableName& name, TableDraft* draft,
                    const AlterationRequest& request);

}  // namespace borealis::sql
