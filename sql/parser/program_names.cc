#include "sql/parser/program_names.h"

#include "row/collation.h"

namespace borealis::sql {

bool ProgramNames::SameName(std::string_view a, std::string_view b) {
  return a == b || row::GetCollation(row::kUtf8mb3GeneralCi).Equal(a, b);
}

template <class T>
const T* ProgramNames::Find(std::span<const Named<T>> names, std::string_view name) {
  for (const Named<T>& named : names) {
    if (SameName(named.name, name)) {
      return &named.value;
    }
  }
  return nullptr;
}

template <class T>
const T* ProgramNames::FindInBlocks(std::vector<Named<T>> Block::*names,
                                    std::string_view name) const {
  for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) {
    if (const T* found = Find<T>((*block).*names, name)) {
      return found;
    }
  }
  return nullptr;
}

bool ProgramNames::DeclareVariable(const std::string& name, uint32_t* slot) {
  if (Find<uint32_t>(blocks_.back().variables, name) != nullptr) {
    return false;
  }
  *slot = static_cast<uint32_t>(program_.slots.size());
  program_.slots.emplace_back().name = name;
  blocks_.back().variables.push_back({name, *slot});
  return true;
}

bool ProgramNames::DeclareCondition(const std::string& name, ProgramCondition condition) {
  if (Find<ProgramCondition>(blocks_.back().conditions, name) != nullptr) {
    return false;
  }
  blocks_.back().conditions.push_back({name, std::move(condition)});
  return true;
}

bool ProgramNames::DeclareCursor(const std::string& name, uint32_t* cursor) {
  if (Find<uint32_t>(blocks_.back().cursors, name) != nullptr) {
    return false;
  }
  *cursor = static_cast<uint32_t>(program_.cursors.size());
  program_.cursors.emplace_back().name = name;
  blocks_.back().cursors.push_back({name, *cursor});
  return true;
}

bool ProgramNames::DeclareHandled(const ProgramCondition& condition) {
  for (const ProgramCondition& handled : blocks_.back().handled) {
    if (handled.kind == condition.kind && handled.error_number == condition.error_number &&
        handled.sqlstate == condition.sqlstate) {
      return false;
    }
  }
  blocks_.back().handled.push_back(condition);
  return true;
}

std::optional<uint32_t> ProgramNames::FindVariable(std::string_view name) const {
  size_t hidden = hidden_variables_;
  for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) {
    const std::span<const Named<uint32_t>> all = block->variables;
    if (const uint32_t* slot = Find<uint32_t>(all.first(all.size() - hidden), name)) {
      return *slot;
    }
    hidden = 0;
  }
  return std::nullopt;
}

const ProgramCondition* ProgramNames::FindCondition(std::string_view name) const {
  return FindInBlocks(&Block::conditions, name);
}

std::optional<uint32_t> ProgramNames::FindCursor(std::string_view name) const {
  const uint32_t* cursor = FindInBlocks(&Block::cursors, name);
  return cursor == nullptr ? std::nullopt : std::optional(*cursor);
}

uint32_t ProgramNames::SlotOfColumn(ProgramSlot::Origin origin, const std::string& column,
                                    Span span) {
  for (size_t i = 0; i < program_.slots.size(); ++i) {
    if (program_.slots[i].origin == origin && SameName(program_.slots[i].name, column)) {
      return static_cast<uint32_t>(i);
    }
  }
  ProgramSlot& slot = program_.slots.emplace_back();
  slot.origin = origin;
  slot.name = column;
  slot.span = span;
  return static_cast<uint32_t>(program_.slots.size() - 1);
}

void ProgramNames::NoteTable(const QualifiedName& name, const std::optional<std::string>& alias) {
  program_.tables.push_back({name, false});
  aliases_.push_back(alias.value_or(name.name));
}

void ProgramNames::NoteChanged(size_t first, std::string_view alias) {
  for (size_t i = first; i < program_.tables.size(); ++i) {
    program_.tables[i].changed |= alias.empty() || SameName(aliases_[i], alias);
  }
}

const ProgramNames::Label* ProgramNames::FindLabel(std::string_view name) const {
  for (size_t i = labels_.size(); i > first_label_; --i) {
    if (SameName(labels_[i - 1].name, name)) {
      return &labels_[i - 1];
    }
  }
  return nullptr;
}

Program ProgramNames::TakeProgram(ProgramNodePtr body) {
  program_.body = std::move(body);
  return std::move(program_);
}

}  // namespace borealis::sql
