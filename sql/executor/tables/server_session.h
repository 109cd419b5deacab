// Statements that the server runs on its own account, beside those of clients.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sql/session/session.h"

namespace borealis::sql {

// The environment of such a session: nobody's privileges, and changes are not refused as
// read-only. The callers' duty is to have checked both.
SessionEnvironment ServerEnvironment(SessionEnvironment environment);
// Who it says it is.
SessionIdentity ServerIdentity();

// Runs one statement and waits until it is done; rows are not wanted. `values` are those of its
// parameters, as text or NULL.
Status RunServerStatement(Session& session, std::string_view text,
                          const std::vector<std::optional<std::string>>& values = {});

}  // namespace borealis::sql
