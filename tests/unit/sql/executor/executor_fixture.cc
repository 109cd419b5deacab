#include "tests/unit/sql/executor/executor_fixture.h"

#include "base/invariant.h"

namespace borealis::sql {

ExecutorTest::ExecutorTest() {
  auto opened = engine::Engine::Open(&volume_, Options());
  INVARIANT(opened.ok());
  engine_ = std::move(opened).value();
  parts_ = MakeExecutorParts();
  catalog_ = std::make_unique<Catalog>(engine_.get(), parts_->system_tables.get());
  session_ = MakeSession(Environment());
  Run("CREATE DATABASE test");
  Run("USE test");
}

ExecutorTest::~ExecutorTest() {
  session_.reset();
  engine_->Stop();
}

engine::EngineOptions ExecutorTest::Options() {
  engine::EngineOptions options;
  options.layouts = MakeSqlRowLayout;
  options.background_threads = false;
  return options;
}

SessionEnvironment ExecutorTest::Environment() {
  SessionEnvironment environment;
  environment.engine = engine_.get();
  environment.catalog = catalog_.get();
  environment.variables = parts_->variables.get();
  environment.executor = parts_->executor.get();
  return environment;
}

std::unique_ptr<Session> ExecutorTest::MakeSession(const SessionEnvironment& environment) {
  return std::make_unique<Session>(
      environment,
      SessionIdentity{7, "root", "localhost", "root", "%", "TLSv1.3", "TLS_AES_128_GCM_SHA256"});
}

}  // namespace borealis::sql
