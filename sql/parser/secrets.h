// Statement text fit for process lists and logs: passwords taken out.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace borealis::sql {

// The text with `<secret>` in place of every password: strings after BY, AS and REPLACE of account
// statements, those of SET PASSWORD, and strings that hold such a statement themselves (PREPARE,
// SET
// @text). Nothing when there is none to take out. From a string that is not closed on, all is taken
// out.
std::optional<std::string> WithoutSecrets(std::string_view text);

}  // namespace borealis::sql
