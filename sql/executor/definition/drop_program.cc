// DROP PROCEDURE, FUNCTION and EVENT. None of them can be made yet, so none is there to drop: the
// statement says so as MySQL does, and with IF EXISTS, as dumps and installers begin, it succeeds
// with a note.
#include "base/mysql_error.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/definition_statements.h"
#include "sql/session/session.h"

namespace borealis::sql {

Status DropProgram(StatementRun& run, const DropProgramStmt& statement) {
  const QualifiedName& name = statement.name;
  const std::string& schema = name.schema.empty() ? run.session.database() : name.schema;
  Status missing;
  if (schema.empty() && statement.program != ProgramKind::kFunction) {
    return UserError(ER_NO_DB_ERROR);
  }
  if (schema.empty()) {  // then it can only be a loadable function
    missing = UserError(ER_SP_DOES_NOT_EXIST, "FUNCTION (UDF)", name.name);
  } else if (statement.program == ProgramKind::kEvent) {
    missing = statement.if_exists ? UserError(ER_SP_DOES_NOT_EXIST, "Event", name.name)
                                  : UserError(ER_EVENT_DOES_NOT_EXIST, name.name);
  } else {
    const bool function = statement.program == ProgramKind::kFunction;
    missing = UserError(ER_SP_DOES_NOT_EXIST, function ? "FUNCTION" : "PROCEDURE",
                        schema + "." + name.name);
  }
  if (!statement.if_exists) {
    return missing;
  }
  run.session.diagnostics().Note(missing.user_errno(), std::string(missing.message()));
  return Status::Ok();
}

}  // namespace borealis::sql
