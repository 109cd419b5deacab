#include "sql/executor/definition/foreign_key_relations.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "base/mysql_error.h"
#include "sql/executor/definition/definition_run.h"
#include "sql/executor/definition/foreign_key_names.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

using engine::TableName;

std::string WithEnd(std::string_view text) {
  std::string out(text);
  out.push_back('\0');
  return out;
}

// A kind of names that are unique in a schema.
struct NameKind {
  char tag;  // of its entries
  MysqlError taken;
  void (*list)(const TableDescriptor& table, std::vector<std::string>* names);
};

constexpr NameKind kForeignKeyNames = {
    'n', ER_FK_DUP_NAME, [](const TableDescriptor& table, std::vector<std::string>* names) {
      for (const ForeignKeyDescriptor& key : table.foreign_keys) {
        names->push_back(key.name);
      }
    }};
constexpr NameKind kCheckNames = {
    'c', ER_CHECK_CONSTRAINT_DUP_NAME,
    [](const TableDescriptor& table, std::vector<std::string>* names) {
      for (const CheckDescriptor& check : table.checks) {
        names->push_back(check.name);
      }
    }};
constexpr NameKind kNameKinds[] = {kForeignKeyNames, kCheckNames};

std::string NamePrefix(const NameKind& kind, std::string_view schema) {
  return kind.tag + WithEnd(schema);
}

// The entries of the table's names, with the names.
std::vector<std::pair<std::string, std::string>> NameEntries(const NameKind& kind,
                                                             const TableDescriptor& table) {
  std::vector<std::string> names;
  kind.list(table, &names);
  std::vector<std::pair<std::string, std::string>> entries;
  for (std::string& name : names) {
    std::string entry = NamePrefix(kind, table.schema) + WithEnd(FoldName(name));
    entries.emplace_back(std::move(entry), std::move(name));
  }
  return entries;
}

std::string ReferencePrefix(const TableName& parent) {
  return "r" + WithEnd(parent.schema) + WithEnd(parent.name);
}

std::string ReferenceKey(const TableName& parent, const TableName& child) {
  return ReferencePrefix(parent) + WithEnd(child.schema) + child.name;
}

struct ReferenceEntry {
  TableName parent;
  TableName child;
};

Result<ReferenceEntry> ParseReference(std::string_view key) {
  std::vector<std::string> parts;
  for (key.remove_prefix(1); parts.size() < 3;) {
    const size_t end = key.find('\0');
    if (end == std::string_view::npos) {
      return Status::Corruption("entry of a foreign key is malformed");
    }
    parts.emplace_back(key.substr(0, end));
    key.remove_prefix(end + 1);
  }
  return ReferenceEntry{{parts[0], parts[1]}, {parts[2], std::string(key)}};
}

TableName NameOf(const TableDescriptor& table) {
  return {table.schema, table.name};
}

TableName ParentOf(const ForeignKeyDescriptor& key) {
  return {key.schema, key.table};
}

// A table with a part in the statement, as it is and as it will be.
struct Side {
  TablePtr before;
  std::shared_ptr<TableDescriptor> after;
  const std::vector<int>* column_sources = nullptr;
  bool is_own = false;  // of the statement itself, not at the other end of a key
  bool changed = false;
};

class Relations {
 public:
  Relations(StatementRun& run, std::vector<TableChange>& changes) : run_(run), changes_(changes) {}

  Result<engine::RelatedChanges> Work() {
    if (!Concerned()) {
      return std::move(out_);
    }
    TakeOwn();
    RETURN_IF_ERROR(Retarget());
    RETURN_IF_ERROR(TakeWaiting());
    RETURN_IF_ERROR(SettleEdges());
    for (const NameKind& kind : kNameKinds) {
      RETURN_IF_ERROR(SettleNames(kind));
    }
    RETURN_IF_ERROR(CheckNewReferences());
    RETURN_IF_ERROR(ListTables());
    return std::move(out_);
  }

 private:
  using Edge = std::pair<TableName, TableName>;  // parent, child

  // Whether there is anything to do: a table that takes a name may have children waiting for it.
  bool Concerned() const {
    return std::any_of(changes_.begin(), changes_.end(), [](const TableChange& change) {
      const auto has_keys = [](const TableDescriptor* table) {
        return table != nullptr && (!table->foreign_keys.empty() || !table->referencing.empty());
      };
      const auto checks = [](const TableDescriptor* table) {
        std::vector<std::string> names;
        if (table != nullptr) {
          kCheckNames.list(*table, &names);
        }
        return names;
      };
      const bool takes_name =
          change.after != nullptr &&
          (change.before == nullptr || NameOf(*change.before) != NameOf(*change.after));
      return takes_name || has_keys(change.before.get()) || has_keys(change.after.get()) ||
             checks(change.before.get()) != checks(change.after.get());
    });
  }

  void TakeOwn();
  Status Retarget();
  void RetargetKeys(Side* side);
  void FollowColumns(const Side& parent, ForeignKeyDescriptor* key) const;
  Status TakeWaiting();
  Status SettleEdges();
  Status SettleNames(const NameKind& kind);
  Status CheckNewReferences();
  Status ListTables();
  bool WasRelated(const Side& other) const;
  Status CheckLockOfOther(const engine::TableLocks& locks, const Side& other,
                          const TableName& name) const;

  // The table that has the name before the statement, or will have it after; null: none.
  Result<Side*> Before(const TableName& name);
  Result<Side*> After(const TableName& name);
  // Whether the key of `side.after` is there before the statement.
  static bool IsOld(const Side& side, const ForeignKeyDescriptor& key);

  StatementRun& run_;
  std::vector<TableChange>& changes_;
  std::vector<std::unique_ptr<Side>> sides_;
  std::map<TableName, Side*> before_;
  std::map<TableName, Side*> after_;
  std::set<TableName> missing_;             // names that no table has
  std::map<TableName, TableName> renamed_;  // own tables
  std::set<Edge> waited_;                   // keys that find their parent now
  engine::RelatedChanges out_;
};

void Relations::TakeOwn() {
  for (TableChange& change : changes_) {
    auto side = std::make_unique<Side>();
    side->before = change.before;
    side->after = change.after;
    side->is_own = true;
    if (change.before != nullptr) {
      before_[NameOf(*change.before)] = side.get();
    }
    if (change.after != nullptr) {
      after_[NameOf(*change.after)] = side.get();
      if (change.before != nullptr) {
        side->after->referencing = change.before->referencing;
        renamed_[NameOf(*change.before)] = NameOf(*change.after);
        side->column_sources = change.column_sources.empty() ? nullptr : &change.column_sources;
      }
    }
    sides_.push_back(std::move(side));
  }
}

Result<Side*> Relations::Before(const TableName& name) {
  if (const auto known = before_.find(name); known != before_.end()) {
    return known->second;
  }
  Result<engine::TableRef> found = EngineOf(run_).FindTable(name.schema, name.name);
  if (!found.ok()) {
    if (!found.status().Is(Code::kNotFound)) {
      return std::move(found).status();
    }
    return static_cast<Side*>(nullptr);
  }
  auto side = std::make_unique<Side>();
  side->before = DescriptorOf(**found);
  side->after = std::make_shared<TableDescriptor>(*side->before);
  Side* loaded = side.get();
  before_[name] = loaded;
  after_.try_emplace(name, loaded);
  sides_.push_back(std::move(side));
  return loaded;
}

Result<Side*> Relations::After(const TableName& name) {
  if (const auto known = after_.find(name); known != after_.end()) {
    return known->second;
  }
  ASSIGN_OR_RETURN(Side * holder, Before(name));
  if (holder == nullptr) {
    missing_.insert(name);
  }
  return holder != nullptr && holder->after != nullptr && NameOf(*holder->after) == name ? holder
                                                                                         : nullptr;
}

bool Relations::IsOld(const Side& side, const ForeignKeyDescriptor& key) {
  if (side.before == nullptr) {
    return false;
  }
  const auto& old_keys = side.before->foreign_keys;
  return std::any_of(old_keys.begin(), old_keys.end(), [&](const ForeignKeyDescriptor& old) {
    const auto number = NumberOfMadeForeignKey(old.name, side.before->name);
    return SameName(old.name, key.name) ||
           (number.has_value() &&
            SameName(MadeForeignKeyName(side.after->name, *number), key.name));
  });
}

// The key's parent columns under the names they will have.
void Relations::FollowColumns(const Side& parent, ForeignKeyDescriptor* key) const {
  if (parent.column_sources == nullptr) {
    return;
  }
  for (std::string& column : key->parent_columns) {
    const int position = parent.before->FindColumn(column);
    const auto kept =
        std::find(parent.column_sources->begin(), parent.column_sources->end(), position);
    if (position >= 0 && kept != parent.column_sources->end()) {
      column =
          parent.after->columns[static_cast<size_t>(kept - parent.column_sources->begin())].name;
    }
  }
}

void Relations::RetargetKeys(Side* side) {
  for (ForeignKeyDescriptor& key : side->after->foreign_keys) {
    const auto moved = renamed_.find(ParentOf(key));
    if (moved == renamed_.end() || !IsOld(*side, key)) {
      continue;
    }
    const ForeignKeyDescriptor old = key;
    FollowColumns(*before_[moved->first], &key);
    key.schema = moved->second.schema;
    key.table = moved->second.name;
    side->changed |= key.schema != old.schema || key.table != old.table ||
                     key.parent_columns != old.parent_columns;
  }
}

// Children follow their parents to new names.
Status Relations::Retarget() {
  std::set<Side*> children;
  for (const TableChange& change : changes_) {
    if (change.before == nullptr || change.after == nullptr) {
      continue;
    }
    const bool moves =
        NameOf(*change.before) != NameOf(*change.after) || !change.column_sources.empty();
    for (const ReferencingTable& child : change.before->referencing) {
      if (!moves) {
        break;
      }
      ASSIGN_OR_RETURN(Side * side, Before({child.schema, child.name}));
      if (side == nullptr) {
        return Status::Retry("a child of the table is gone");
      }
      if (side->after != nullptr) {
        children.insert(side);
      }
    }
  }
  for (Side* child : children) {
    RetargetKeys(child);
  }
  return {};
}

// Names that come into use: who waits for them?
Status Relations::TakeWaiting() {
  for (const TableChange& change : changes_) {
    if (change.after == nullptr) {
      continue;
    }
    const TableName name = NameOf(*change.after);
    ASSIGN_OR_RETURN(Side * holder, Before(name));
    if (holder != nullptr) {
      continue;  // its children are its own
    }
    engine::RelatedChanges::Expectation expected{ReferencePrefix(name), {}};
    ASSIGN_OR_RETURN(const auto entries, EngineOf(run_).ListSqlEntries(expected.prefix));
    for (const auto& [key, value] : entries) {
      expected.keys.push_back(key);
      ASSIGN_OR_RETURN(const ReferenceEntry reference, ParseReference(key));
      ASSIGN_OR_RETURN(Side * side, Before(reference.child));
      if (side != nullptr && side->after != nullptr) {
        waited_.insert({name, NameOf(*side->after)});
      }
    }
    out_.expected.push_back(std::move(expected));
  }
  return {};
}

void AddChild(Side* parent, const TableName& child) {
  const ReferencingTable entry{child.schema, child.name};
  auto& list = parent->after->referencing;
  if (std::find(list.begin(), list.end(), entry) == list.end()) {
    list.push_back(entry);
    parent->changed = true;
  }
}

Status Relations::SettleEdges() {
  std::set<Edge> old_edges;
  std::set<Edge> new_edges;
  for (const auto& side : sides_) {
    if (side->before != nullptr) {
      for (const ForeignKeyDescriptor& key : side->before->foreign_keys) {
        old_edges.insert({ParentOf(key), NameOf(*side->before)});
      }
    }
    if (side->after != nullptr) {
      for (const ForeignKeyDescriptor& key : side->after->foreign_keys) {
        new_edges.insert({ParentOf(key), NameOf(*side->after)});
      }
    }
  }
  for (const Edge& edge : old_edges) {
    if (new_edges.contains(edge)) {
      continue;
    }
    out_.entries.push_back({ReferenceKey(edge.first, edge.second), std::nullopt});
    ASSIGN_OR_RETURN(Side * parent, Before(edge.first));
    if (parent != nullptr && parent->after != nullptr) {
      const ReferencingTable gone{edge.second.schema, edge.second.name};
      parent->changed |= std::erase(parent->after->referencing, gone) != 0;
    }
  }
  for (const Edge& edge : new_edges) {
    if (old_edges.contains(edge) && !waited_.contains(edge)) {
      continue;
    }
    if (!old_edges.contains(edge)) {
      out_.entries.push_back({ReferenceKey(edge.first, edge.second), std::string()});
    }
    ASSIGN_OR_RETURN(Side * parent, After(edge.first));
    if (parent != nullptr) {
      AddChild(parent, edge.second);
    }
  }
  return {};
}

Status Relations::SettleNames(const NameKind& kind) {
  std::map<std::string, std::string> old_tables;  // by entry
  std::map<std::string, std::string> new_tables;
  std::map<std::string, std::string> new_names;
  for (const auto& side : sides_) {
    if (side->before != nullptr) {
      for (const auto& [entry, name] : NameEntries(kind, *side->before)) {
        old_tables[entry] = side->before->name;
      }
    }
    if (side->after == nullptr) {
      continue;
    }
    for (const auto& [entry, name] : NameEntries(kind, *side->after)) {
      if (!new_tables.emplace(entry, side->after->name).second) {
        return UserError(kind.taken, name);
      }
      new_names[entry] = name;
    }
  }
  for (const auto& [entry, table] : old_tables) {
    if (!new_tables.contains(entry)) {
      out_.entries.push_back({entry, std::nullopt});
    }
  }
  for (const auto& [entry, table] : new_tables) {
    const auto old = old_tables.find(entry);
    if (old != old_tables.end()) {
      if (old->second != table) {
        out_.entries.push_back({entry, table});
      }
      continue;
    }
    ASSIGN_OR_RETURN(const auto taken, EngineOf(run_).ListSqlEntries(entry));
    if (!taken.empty()) {
      return UserError(kind.taken, new_names[entry]);
    }
    out_.expected.push_back({entry, {}});
    out_.entries.push_back({entry, table});
  }
  return {};
}

Status Relations::CheckNewReferences() {
  const bool checks = run_.session.settings().foreign_key_checks;
  // `sides_` grows while parents are looked at.
  for (size_t i = 0; i < sides_.size(); ++i) {
    const Side& side = *sides_[i];
    if (side.after == nullptr) {
      continue;
    }
    for (const ForeignKeyDescriptor& key : side.after->foreign_keys) {
      const TableName parent_name = ParentOf(key);
      const bool waited = waited_.contains({parent_name, NameOf(*side.after)});
      if (!waited && (!side.is_own || IsOld(side, key))) {
        continue;
      }
      ASSIGN_OR_RETURN(Side * parent, After(parent_name));
      if (parent == nullptr || parent->after->kind != TableKind::kBase) {
        if (checks) {
          return UserError(ER_FK_CANNOT_OPEN_PARENT, key.table);
        }
        continue;
      }
      Status fits = CheckReference(run_, *side.after, key, *parent->after);
      if (!fits.ok() && waited && checks && parent->before == nullptr) {
        return UserError(ER_CANNOT_ADD_FOREIGN);
      }
      RETURN_IF_ERROR(fits);
    }
  }
  return {};
}

// Whether a foreign key stood between the table and one that the statement changes before it did.
bool Relations::WasRelated(const Side& other) const {
  const auto refers = [](const TableDescriptor& child, const TableDescriptor& parent) {
    return FindReference(child, parent.schema, parent.name) != nullptr;
  };
  return other.before != nullptr &&
         std::any_of(changes_.begin(), changes_.end(), [&](const TableChange& change) {
           return change.before != nullptr &&
                  (refers(*change.before, *other.before) || refers(*other.before, *change.before));
         });
}

// Under LOCK TABLES the tables at the other ends of keys count as locked, as restored dumps need
// it: the change locks them itself. A table that only a new key refers to must be locked by name.
// One locked for reading by the session would wait for itself.
Status Relations::CheckLockOfOther(const engine::TableLocks& locks, const Side& other,
                                   const TableName& name) const {
  const bool needs_lock =
      !WasRelated(other) &&
      std::any_of(changes_.begin(), changes_.end(), [](const TableChange& change) {
        return change.after != nullptr &&
               (change.before == nullptr || !change.column_sources.empty());
      });
  if (!needs_lock && locks.HeldOn(name.schema, name.name) == engine::TableLocks::Held::kNo) {
    return {};
  }
  return CheckTableLock(locks, name.schema, name.name, engine::TableUse::kChange);
}

Status Relations::ListTables() {
  const auto& locks = run_.session.table_locks();
  for (const auto& side : sides_) {
    const TableDescriptor& named = side->before != nullptr ? *side->before : *side->after;
    engine::RelatedChanges::Table table;
    table.name = NameOf(named);
    table.expected_version = side->before != nullptr ? side->before->version : 0;
    const bool renamed = side->is_own && side->column_sources == nullptr;
    if ((side->changed || renamed) && side->before != nullptr && side->after != nullptr) {
      table.payload = EncodeTableDescriptor(*side->after);
    }
    if (!side->is_own && locks != nullptr) {
      RETURN_IF_ERROR(CheckLockOfOther(*locks, *side, table.name));
    }
    out_.tables.push_back(std::move(table));
  }
  for (const TableName& name : missing_) {
    out_.tables.push_back({name, 0, std::nullopt});
  }
  return {};
}

// The same for the values of both: InnoDB compares them as they are stored.
bool TypesMatch(const row::Type& a, const row::Type& b, bool collations) {
  if (a.is_text() && b.is_text()) {
    return !collations || a.collation == b.collation;
  }
  if (a.is_binary_string() && b.is_binary_string()) {
    return true;
  }
  if (a.kind != b.kind) {
    return false;
  }
  return !a.is_integer() || a.is_unsigned == b.is_unsigned;
}

// A key of a table to the very same columns needs two indexes: one for each side.
bool HasOtherIndexOn(TableDescriptor table, int index, std::span<const uint32_t> columns) {
  table.indexes.erase(table.indexes.begin() + index);
  return table.FindIndexOn(columns) >= 0;
}

}  // namespace

std::vector<uint32_t> ParentColumns(const ForeignKeyDescriptor& key,
                                    const TableDescriptor& parent) {
  std::vector<uint32_t> columns;
  for (const std::string& name : key.parent_columns) {
    const int position = parent.FindColumn(name);
    if (position < 0 || parent.columns[static_cast<size_t>(position)].hidden) {
      return {};
    }
    columns.push_back(static_cast<uint32_t>(position));
  }
  return columns;
}

Status CheckReference(const StatementRun& run, const TableDescriptor& child,
                      const ForeignKeyDescriptor& key, const TableDescriptor& parent) {
  std::vector<uint32_t> columns;
  for (size_t i = 0; i < key.parent_columns.size(); ++i) {
    const int position = parent.FindColumn(key.parent_columns[i]);
    if (position < 0 || parent.columns[static_cast<size_t>(position)].hidden) {
      return UserError(ER_FK_NO_COLUMN_PARENT, key.parent_columns[i], key.name, parent.name);
    }
    const ColumnDescriptor& referred = parent.columns[static_cast<size_t>(position)];
    if (referred.generated == GeneratedKind::kVirtual) {
      return UserError(ER_FK_CANNOT_USE_VIRTUAL_COLUMN, key.name, referred.name);
    }
    const ColumnDescriptor& own = child.columns[key.columns[i]];
    if (!TypesMatch(own.type, referred.type, run.session.settings().foreign_key_checks)) {
      return UserError(ER_FK_INCOMPATIBLE_COLUMNS, own.name, referred.name, key.name);
    }
    columns.push_back(static_cast<uint32_t>(position));
  }
  const int index = parent.FindIndexOn(columns);
  const bool is_own = child.schema == parent.schema && child.name == parent.name;
  if (index < 0 || (is_own && columns == key.columns && !HasOtherIndexOn(parent, index, columns))) {
    return UserError(ER_FK_NO_INDEX_PARENT, key.name, parent.name);
  }
  return {};
}

const ForeignKeyDescriptor* FindReference(const TableDescriptor& child, std::string_view schema,
                                          std::string_view table) {
  for (const ForeignKeyDescriptor& key : child.foreign_keys) {
    if (key.schema == schema && key.table == table) {
      return &key;
    }
  }
  return nullptr;
}

Result<engine::RelatedChanges> RelateForeignKeys(StatementRun& run,
                                                 std::vector<TableChange>& changes) {
  return Relations(run, changes).Work();
}

Result<engine::RelatedChanges> RelateDroppedSchema(StatementRun& run, const std::string& schema) {
  engine::Engine& engine = EngineOf(run);
  std::vector<engine::RelatedChanges::Expectation> expected;
  std::set<std::string> concerned;  // tables with names of constraints, and parents
  for (const NameKind& kind : kNameKinds) {
    engine::RelatedChanges::Expectation& names = expected.emplace_back();
    names.prefix = NamePrefix(kind, schema);
    ASSIGN_OR_RETURN(const auto named, engine.ListSqlEntries(names.prefix));
    for (const auto& [key, table] : named) {
      names.keys.push_back(key);
      concerned.insert(table);
    }
  }
  engine::RelatedChanges::Expectation& references = expected.emplace_back();
  references.prefix = "r" + WithEnd(schema);
  ASSIGN_OR_RETURN(const auto referring, engine.ListSqlEntries(references.prefix));
  for (const auto& [key, value] : referring) {
    references.keys.push_back(key);
    ASSIGN_OR_RETURN(const ReferenceEntry reference, ParseReference(key));
    const auto parent = engine.FindTable(schema, reference.parent.name);
    if (!parent.ok()) {
      continue;  // it waits for a table that is not there
    }
    concerned.insert(reference.parent.name);
    if (reference.child.schema == schema || !run.session.settings().foreign_key_checks) {
      continue;
    }
    ASSIGN_OR_RETURN(const engine::TableRef child,
                     engine.FindTable(reference.child.schema, reference.child.name));
    const ForeignKeyDescriptor* broken =
        FindReference(*DescriptorOf(*child), schema, reference.parent.name);
    return UserError(ER_FK_CANNOT_DROP_PARENT, reference.parent.name,
                     broken != nullptr ? broken->name : "", reference.child.name);
  }
  std::vector<TableChange> changes;
  for (const std::string& name : concerned) {
    ASSIGN_OR_RETURN(const engine::TableRef table, engine.FindTable(schema, name));
    changes.push_back({DescriptorOf(*table), nullptr, {}});
  }
  ASSIGN_OR_RETURN(engine::RelatedChanges related, RelateForeignKeys(run, changes));
  std::move(expected.begin(), expected.end(), std::back_inserter(related.expected));
  return related;
}

}  // namespace borealis::sql
