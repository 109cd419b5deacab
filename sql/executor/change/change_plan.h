// What INSERT, UPDATE and DELETE are bound to. A statement of a stored program keeps it from one
// run to the next; for any other it lives as long as the statement.
//
// A kept plan holds as long as definitions, settings and the current database are those it was
// bound under: the program's own settings are the same each time it runs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sql/binder/binder.h"
#include "sql/binder/dml.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/executor.h"
#include "sql/session/session.h"
#include "sql/sqlite/machine.h"

namespace borealis::sql {

struct ChangePlan final : StatementPlan {
  // One of these.
  std::unique_ptr<BoundInsert> insert;
  std::unique_ptr<BoundUpdate> update;
  std::unique_ptr<BoundDelete> deletion;
  StatementFacts facts;
  std::unique_ptr<CompiledQuery> query;  // of the statement's query, if it is kept

  uint64_t catalog_version = 0;
  uint64_t generation = 0;
  std::string database;
};

// The plan that the statement has kept if that holds, else an empty one to be bound: `own`, unless
// the statement keeps its plan.
inline ChangePlan& PlanOf(StatementRun& run, ChangePlan* own) {
  if (run.plan == nullptr) {
    return *own;
  }
  const Session& session = run.session;
  if (*run.plan != nullptr) {
    auto& kept = static_cast<ChangePlan&>(**run.plan);
    if (!kept.facts.uncacheable && kept.catalog_version == session.catalog().version() &&
        kept.generation == session.settings().generation && kept.database == session.database()) {
      return kept;
    }
  }
  auto plan = std::make_unique<ChangePlan>();
  plan->catalog_version = session.catalog().version();
  plan->generation = session.settings().generation;
  plan->database = session.database();
  ChangePlan& added = *plan;
  *run.plan = std::move(plan);
  return added;
}

// Where the statement's query is kept compiled; null: nowhere.
inline std::unique_ptr<CompiledQuery>* KeptQuery(const StatementRun& run, ChangePlan& plan) {
  return run.plan != nullptr ? &plan.query : nullptr;
}

inline BindInput InputOf(const StatementRun& run) {
  BindInput input;
  input.environment = &run.session.binder_environment();
  input.text = run.text;
  input.parameters = run.parameters;
  input.frame = run.plan != nullptr;
  return input;
}

}  // namespace borealis::sql
