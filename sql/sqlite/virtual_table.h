// What every virtual table of ours tells SQLite of itself: the columns, and the module behind it.
#pragma once

#include <sqlite3.h>

#include <memory>

namespace borealis::sql {

// What SQLite knows as one table.
template <class Module>
struct VirtualTable : sqlite3_vtab {
  Module* module = nullptr;
};

// xConnect: `declaration` is a CREATE TABLE.
template <class Module>
int ConnectTable(sqlite3* connection, const char* declaration, Module* module, sqlite3_vtab** out,
                 char** error) {
  const int rc = sqlite3_declare_vtab(connection, declaration);
  if (rc != SQLITE_OK) {
    *error = sqlite3_mprintf("%s", sqlite3_errmsg(connection));
    return rc;
  }
  auto table = std::make_unique<VirtualTable<Module>>();
  static_cast<sqlite3_vtab&>(*table) = sqlite3_vtab{};
  table->module = module;
  *out = table.release();
  return SQLITE_OK;
}

// xDisconnect.
template <class Module>
int DisconnectTable(sqlite3_vtab* table) {
  delete static_cast<VirtualTable<Module>*>(table);
  return SQLITE_OK;
}

}  // namespace borealis::sql
