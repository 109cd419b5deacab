#include "sql/session/hints.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ast/query.h"

namespace borealis::sql {
namespace {

constexpr uint16_t kWarnUnsupportedMaxExecutionTime = 3125;
constexpr uint16_t kWarnConflictingHint = 3126;

struct Hint {
  std::string_view name;
  std::string_view arguments;  // between the parentheses
};

// Takes the first hint off `text`; nothing at the end, or where what follows is none.
std::optional<Hint> TakeHint(std::string_view* text) {
  const auto begin = text->find_first_not_of(" \t\r\n");
  const auto open = text->find('(');
  if (begin == std::string_view::npos || open == std::string_view::npos || open < begin) {
    return std::nullopt;
  }
  Hint hint{text->substr(begin, open - begin), {}};
  hint.name = hint.name.substr(0, hint.name.find_last_not_of(" \t\r\n") + 1);
  int depth = 0;
  for (size_t at = open; at < text->size(); ++at) {
    depth += (*text)[at] == '(' ? 1 : (*text)[at] == ')' ? -1 : 0;
    if (depth == 0) {
      hint.arguments = text->substr(open + 1, at - open - 1);
      text->remove_prefix(at + 1);
      return hint;
    }
  }
  return std::nullopt;
}

bool IsMaxExecutionTime(std::string_view name) {
  constexpr std::string_view kName = "max_execution_time";
  return std::ranges::equal(name, kName, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

// Nothing when it is no number of at most 32 bits, which MySQL takes for bad syntax.
std::optional<uint64_t> Milliseconds(std::string_view arguments) {
  const auto begin = arguments.find_first_not_of(" \t\r\n");
  const auto last = arguments.find_last_not_of(" \t\r\n");
  if (begin == std::string_view::npos) {
    return std::nullopt;
  }
  arguments = arguments.substr(begin, last - begin + 1);
  uint64_t value = 0;
  const char* const end = arguments.data() + arguments.size();
  const auto [stopped, error] = std::from_chars(arguments.data(), end, value);
  if (error != std::errc() || stopped != end || value > std::numeric_limits<uint32_t>::max()) {
    return std::nullopt;
  }
  return value;
}

const std::vector<std::string>* HintsOf(const QueryBody* body) {
  for (;;) {
    if (const auto* select = body->TryAs<SelectCore>()) {
      return &select->hints;
    }
    if (const auto* operation = body->TryAs<SetOperation>()) {
      body = operation->first.get();
    } else if (const auto* nested = body->TryAs<NestedQuery>()) {
      body = nested->query->body.get();
    } else {
      return nullptr;
    }
  }
}

// Those of the statement, and of the query that an INSERT takes its rows from.
std::vector<std::string_view> HintsOf(const Stmt& statement) {
  std::vector<std::string_view> all;
  const auto add = [&](const std::vector<std::string>* hints) {
    if (hints != nullptr) {
      all.insert(all.end(), hints->begin(), hints->end());
    }
  };
  switch (statement.kind) {
    case StmtKind::kSelect:
      add(HintsOf(statement.As<SelectStmt>().query->body.get()));
      break;
    case StmtKind::kInsert: {
      const auto& insert = statement.As<InsertStmt>();
      add(&insert.hints);
      add(insert.query != nullptr ? HintsOf(insert.query->body.get()) : nullptr);
      break;
    }
    case StmtKind::kUpdate:
      add(&statement.As<UpdateStmt>().hints);
      break;
    case StmtKind::kDelete:
      add(&statement.As<DeleteStmt>().hints);
      break;
    default:
      break;
  }
  return all;
}

}  // namespace

uint64_t ExecutionTimeHint(const Stmt& statement, Diagnostics* diagnostics) {
  std::optional<uint64_t> found;
  for (std::string_view text : HintsOf(statement)) {
    while (const std::optional<Hint> hint = TakeHint(&text)) {
      if (!IsMaxExecutionTime(hint->name)) {
        continue;
      }
      const std::optional<uint64_t> milliseconds = Milliseconds(hint->arguments);
      if (!milliseconds.has_value()) {
        break;
      }
      if (statement.kind != StmtKind::kSelect) {
        diagnostics->AddWarning(row::WarningLevel::kWarning, kWarnUnsupportedMaxExecutionTime,
                                "MAX_EXECUTION_TIME hint is supported by top-level standalone "
                                "SELECT statements only");
      } else if (found.has_value()) {
        diagnostics->AddWarning(row::WarningLevel::kWarning, kWarnConflictingHint,
                                "Hint MAX_EXECUTION_TIME(" + std::to_string(*milliseconds) +
                                    ") is ignored as conflicting/duplicated");
      } else {
        found = milliseconds;
      }
    }
  }
  return found.value_or(0);
}

}  // namespace borealis::sql
