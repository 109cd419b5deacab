// What an account can be allowed to do: MySQL's static privileges as a set of bits, and the names
// of its dynamic privileges.
//
// Static privileges exist at several levels (global, schema, table, column); which at which is
// fixed. Dynamic ones (CONNECTION_ADMIN, …) are global and known by name alone.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace borealis::sql {

// In the order in which SHOW GRANTS lists them.
enum class Privilege : uint8_t {
  kSelect,
  kInsert,
  kUpdate,
  kDelete,
  kCreate,
  kDrop,
  kReload,
  kShutdown,
  kProcess,
  kFile,
  kReferences,
  kIndex,
  kAlter,
  kShowDatabases,
  kSuper,
  kCreateTemporaryTables,
  kLockTables,
  kExecute,
  kReplicationSlave,
  kReplicationClient,
  kCreateView,
  kShowView,
  kCreateRoutine,
  kAlterRoutine,
  kCreateUser,
  kEvent,
  kTrigger,
  kCreateTablespace,
  kCreateRole,
  kDropRole,
  kGrantOption,
};
inline constexpr int kPrivilegeCount = static_cast<int>(Privilege::kGrantOption) + 1;

class PrivilegeSet {
 public:
  constexpr PrivilegeSet() = default;
  constexpr PrivilegeSet(std::initializer_list<Privilege> privileges) {
    for (const Privilege privilege : privileges) {
      Add(privilege);
    }
  }
  static constexpr PrivilegeSet All() { return FromBits((uint64_t{1} << kPrivilegeCount) - 1); }

  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool Has(Privilege privilege) const { return (bits_ & Bit(privilege)) != 0; }
  constexpr bool HasAll(PrivilegeSet others) const { return (others.bits_ & ~bits_) == 0; }
  constexpr bool HasAny(PrivilegeSet others) const { return (others.bits_ & bits_) != 0; }
  constexpr void Add(Privilege privilege) { bits_ |= Bit(privilege); }
  constexpr void Remove(Privilege privilege) { bits_ &= ~Bit(privilege); }

  constexpr friend PrivilegeSet operator|(PrivilegeSet a, PrivilegeSet b) {
    return FromBits(a.bits_ | b.bits_);
  }
  constexpr friend PrivilegeSet operator&(PrivilegeSet a, PrivilegeSet b) {
    return FromBits(a.bits_ & b.bits_);
  }
  // Those of `a` that are not in `b`.
  constexpr friend PrivilegeSet operator-(PrivilegeSet a, PrivilegeSet b) {
    return FromBits(a.bits_ & ~b.bits_);
  }
  constexpr PrivilegeSet& operator|=(PrivilegeSet other) { return *this = *this | other; }
  constexpr friend bool operator==(PrivilegeSet a, PrivilegeSet b) = default;

 private:
  static constexpr uint64_t Bit(Privilege privilege) {
    return uint64_t{1} << static_cast<int>(privilege);
  }
  static constexpr PrivilegeSet FromBits(uint64_t bits) {
    PrivilegeSet set;
    set.bits_ = bits;
    return set;
  }

  uint64_t bits_ = 0;
};

enum class PrivilegeLevel : uint8_t { kGlobal, kSchema, kTable, kColumn };

// Those that can be granted at the level, GRANT OPTION among them where there is one.
PrivilegeSet PrivilegesAt(PrivilegeLevel level);

// "CREATE TEMPORARY TABLES"; GRANT OPTION is "GRANT OPTION".
std::string_view PrivilegeName(Privilege privilege);
// By its upper-case name.
std::optional<Privilege> FindPrivilege(std::string_view name);
// Of the columns of mysql.user and mysql.db: "Create_tmp_table_priv".
std::string_view PrivilegeColumn(Privilege privilege);
// In the sets of mysql.tables_priv and mysql.columns_priv: "Create View". Empty: never in one.
std::string_view PrivilegeMember(Privilege privilege);

// "SELECT, INSERT" in SHOW GRANTS' order, without GRANT OPTION.
std::string PrivilegeList(PrivilegeSet set, std::string_view between = ", ");
// The same as messages 1142 and 1143 have it, where GRANT OPTION is "GRANT".
std::string DeniedList(PrivilegeSet set);

// Upper-case names, sorted.
std::span<const std::string_view> DynamicPrivileges();
bool IsDynamicPrivilege(std::string_view upper_name);

}  // namespace borealis::sql
