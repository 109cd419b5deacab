// Global variables that the engine itself obeys: innodb_stats_persistent and its like.
#pragma once

#include <string_view>

namespace borealis::engine {
class Engine;
}

namespace borealis::sql {

class SystemVariables;

// Tells the engine their values: when it is opened, and after a SET GLOBAL of one of them.
void ApplyEngineVariables(const SystemVariables& variables, engine::Engine& engine);
bool IsEngineVariable(std::string_view name);

}  // namespace borealis::sql
