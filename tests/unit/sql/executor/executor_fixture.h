// Sessions with everything a server gives them, on an engine on a volume in memory. The database
// `test` is in use.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "engine/engine.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/create.h"
#include "tests/support/memory_volume.h"
#include "tests/unit/sql/executor/answer.h"

namespace borealis::sql {

class ExecutorTest : public ::testing::Test {
 protected:
  ExecutorTest();
  ~ExecutorTest() override;

  static engine::EngineOptions Options();
  SessionEnvironment Environment();
  static std::unique_ptr<Session> MakeSession(const SessionEnvironment& environment);
  Answer Ask(std::string_view text) { return sql::Ask(session_.get(), text); }
  std::string Run(std::string_view text) { return Ask(text).ToString(); }

  MemoryVolume volume_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<ExecutorParts> parts_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Session> session_;
};

}  // namespace borealis::sql
