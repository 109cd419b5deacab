#include "sql/program/trigger_program.h"

#include "base/mysql_error.h"
#include "sql/binder/column_type.h"
#include "sql/parser/parser_mode.h"
#include "sql/program/program_run.h"
#include "sql/session/session.h"

namespace borealis::sql {

namespace {

// As messages show it: who fires a trigger of its own is told from where it came.
const std::string& HostOf(const Session& session, const AccountKey& definer) {
  return session.account() == definer ? session.identity().host : definer.host;
}

}  // namespace

Result<std::unique_ptr<TriggerProgram>> TriggerProgram::Compile(Session* session,
                                                                const TableDescriptor& table,
                                                                const TriggerDescriptor& trigger) {
  ASSIGN_OR_RETURN(Program program, ParseTriggerBody(trigger.body, trigger.timing, trigger.event,
                                                     ParserOptionsUnder(trigger.sql_mode)));
  std::unique_ptr<TriggerProgram> compiled(
      new TriggerProgram(session, table, trigger, std::move(program)));
  RETURN_IF_ERROR(compiled->BindColumns(table));
  return compiled;
}

TriggerProgram::TriggerProgram(Session* session, const TableDescriptor& table,
                               const TriggerDescriptor& trigger, Program program)
    : session_(session),
      schema_(table.schema),
      table_(table.name),
      timing_(trigger.timing),
      event_(trigger.event),
      definer_(MakeAccountKey(trigger.definer_user, trigger.definer_host)),
      code_(std::move(program), trigger.body),
      frame_(session) {
  environment_.sql_mode = trigger.sql_mode;
  environment_.collation_connection = trigger.connection_collation;
  environment_.collation_database = trigger.database_collation;
  environment_.schema = table.schema;
  environment_.definer = definer_;
}

Status TriggerProgram::BindColumns(const TableDescriptor& table) {
  for (uint32_t i = 0; i < code_.slots().size(); ++i) {
    const ProgramSlot& slot = code_.slots()[i];
    if (slot.origin == ProgramSlot::Origin::kVariable) {
      ColumnTypeInput input;
      input.column = slot.name;
      input.collation = environment_.collation_database;
      input.sql_mode = environment_.sql_mode;
      ASSIGN_OR_RETURN(row::Type type, ResolveColumnType(slot.type, input));
      frame_.Add(slot.name, type.Nullable());
      continue;
    }
    const bool is_new = slot.origin == ProgramSlot::Origin::kNew;
    const int column = table.FindColumn(slot.name);
    if (column < 0 || table.columns[static_cast<size_t>(column)].hidden) {
      return UserError(ER_BAD_FIELD_ERROR, slot.name, is_new ? "NEW" : "OLD");
    }
    const auto number = static_cast<uint32_t>(column);
    frame_.Add(table.columns[number].name, table.columns[number].type.Nullable());
    row_slots_.push_back({i, number, is_new, slot.is_set_target});
    columns_.push_back(table.columns[number].name);
    sets_columns_ |= slot.is_set_target;
  }
  frame_.AddUntyped(code_.frame_size());
  return {};
}

Status TriggerProgram::FollowAccounts() {
  const std::shared_ptr<const GrantTables>& tables = session_->security().tables();
  if (tables == accounts_) {
    return {};
  }
  const Account* definer = tables->Find(definer_);
  if (definer == nullptr) {
    return NoSuchDefiner(definer_);
  }
  environment_.roles = session_->DefaultRolesOf(*definer);
  environment_.security = SecurityContext(tables, definer_, environment_.roles);
  const SecurityContext& security = environment_.security;
  if (!security.unrestricted()) {
    if (!security.OnTable(schema_, table_).Has(Privilege::kTrigger)) {
      return UserError(ER_TABLEACCESS_DENIED_ERROR, "TRIGGER", definer_.user,
                       HostOf(*session_, definer_), table_);
    }
    RETURN_IF_ERROR(CheckColumns());
  }
  accounts_ = tables;
  return {};
}

// What the body reads of the row it must be allowed to select, what it assigns to update.
Status TriggerProgram::CheckColumns() const {
  for (size_t i = 0; i < row_slots_.size(); ++i) {
    const bool assigned = row_slots_[i].assigned;
    const PrivilegeSet has = environment_.security.OnColumn(schema_, table_, columns_[i]);
    if (!has.Has(assigned ? Privilege::kUpdate : Privilege::kSelect)) {
      return UserError(ER_COLUMNACCESS_DENIED_ERROR, assigned ? "UPDATE" : "SELECT", definer_.user,
                       HostOf(*session_, definer_), columns_[i], table_);
    }
  }
  return {};
}

Status TriggerProgram::Fire(const std::vector<row::Value>* old_row,
                            std::vector<row::Value>* new_row, std::vector<uint32_t>* nulled) {
  RETURN_IF_ERROR(FollowAccounts());
  for (const RowSlot& slot : row_slots_) {
    const std::vector<row::Value>& row = slot.is_new ? *new_row : *old_row;
    frame_.Put(slot.slot, row[slot.column].Borrow());
  }
  {
    ProgramScope scope(session_, &environment_, &frame_);
    Status status = ProgramRun(session_, &code_, &frame_).Execute();
    if (!status.ok()) {
      scope.KeepConditions();
      return status;
    }
  }
  if (sets_columns_) {
    for (const RowSlot& slot : row_slots_) {
      if (slot.assigned) {
        row::Value value = frame_.Take(slot.slot);
        value.Own();  // what no assignment has reached is still the row's
        if (value.is_null() && !(*new_row)[slot.column].is_null()) {
          nulled->push_back(slot.column);
        }
        (*new_row)[slot.column] = std::move(value);
      }
    }
  }
  return {};
}

}  // namespace borealis::sql
