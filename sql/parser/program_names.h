// What the stored program that is being parsed has declared so far, and where: the blocks that are
// open with their variables, conditions and cursors, the labels in force, and the columns named as
// NEW.c and OLD.c. An inner block's names hide an outer one's. Names compare without regard to
// case.
//
// Used by one parser, from one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ast/program.h"
#include "sql/ast/trigger.h"

namespace borealis::sql {

class ProgramNames {
 public:
  ProgramNames(TriggerTiming timing, TriggerEvent event) : timing_(timing), event_(event) {}

  TriggerTiming timing() const { return timing_; }
  TriggerEvent event() const { return event_; }

  // What the body holds that a trigger must not; said when all of it is parsed, the first of these.
  enum class Offence : uint8_t { kDynamicSql, kResultSet, kAutocommit, kCommit, kReset, kFlush };
  void Note(Offence offence) { offences_ |= 1U << static_cast<unsigned>(offence); }
  bool Has(Offence offence) const {
    return (offences_ & 1U << static_cast<unsigned>(offence)) != 0;
  }

  void OpenBlock() { blocks_.emplace_back(); }
  void CloseBlock() { blocks_.pop_back(); }

  // False: the innermost block has one of this name.
  bool DeclareVariable(const std::string& name, uint32_t* slot);
  bool DeclareCondition(const std::string& name, ProgramCondition condition);
  bool DeclareCursor(const std::string& name, uint32_t* cursor);
  // False: the innermost block has a handler for it.
  bool DeclareHandled(const ProgramCondition& condition);

  // The last `count` variables are not visible: their declaration has not come to its end.
  void HideVariables(size_t count) { hidden_variables_ = count; }

  // Of the innermost block that declares it; null or nothing when none does.
  std::optional<uint32_t> FindVariable(std::string_view name) const;
  const ProgramCondition* FindCondition(std::string_view name) const;
  std::optional<uint32_t> FindCursor(std::string_view name) const;

  uint32_t SlotOfColumn(ProgramSlot::Origin origin, const std::string& column, Span span);
  ProgramSlot& slot(uint32_t number) { return program_.slots[number]; }
  ProgramCursor& cursor(uint32_t number) { return program_.cursors[number]; }

  // Tables that statements name. A statement that changes some of them says so when it knows which:
  // those from `first` on that are known as `alias` (all, when it is empty).
  void NoteTable(const QualifiedName& name, const std::optional<std::string>& alias);
  size_t table_count() const { return program_.tables.size(); }
  void NoteChanged(size_t first, std::string_view alias);

  struct Label {
    std::string name;
    uint32_t id = 0;
    bool loop = false;
  };
  uint32_t NextId() { return program_.id_count++; }
  // Null: no label in force has the name. A handler's statements see none from outside of it.
  const Label* FindLabel(std::string_view name) const;
  void PushLabel(Label label) { labels_.push_back(std::move(label)); }
  void PopLabel() { labels_.pop_back(); }
  size_t HideLabels() {
    const size_t before = first_label_;
    first_label_ = labels_.size();
    return before;
  }
  void ShowLabels(size_t before) { first_label_ = before; }

  Program TakeProgram(ProgramNodePtr body);

  static bool SameName(std::string_view a, std::string_view b);

 private:
  template <class T>
  struct Named {
    std::string name;
    T value;
  };
  struct Block {
    std::vector<Named<uint32_t>> variables;
    std::vector<Named<ProgramCondition>> conditions;
    std::vector<Named<uint32_t>> cursors;
    std::vector<ProgramCondition> handled;
  };
  template <class T>
  static const T* Find(std::span<const Named<T>> names, std::string_view name);
  template <class T>
  const T* FindInBlocks(std::vector<Named<T>> Block::*names, std::string_view name) const;

  const TriggerTiming timing_;
  const TriggerEvent event_;
  Program program_;
  std::vector<std::string> aliases_;  // of program_.tables
  std::vector<Block> blocks_;
  std::vector<Label> labels_;
  size_t first_label_ = 0;
  size_t hidden_variables_ = 0;
  uint32_t offences_ = 0;
};

}  // namespace borealis::sql
