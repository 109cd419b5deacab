// What several system tables say of the server and its sessions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sql/executor/tables/system_rows.h"
#include "sql/session/server_interface.h"
#include "sql/session/system_variables.h"

namespace borealis::sql {

// Others' sessions are shown to those with PROCESS. Without a server around it the session is all
// there is.
std::vector<ProcessInfo> ProcessesOf(const SystemRows& rows);

// Status variables of the instance or of the session, by name.
std::vector<std::pair<std::string, std::string>> StatusOf(const Session& session,
                                                          VariableScope scope);

}  // namespace borealis::sql
