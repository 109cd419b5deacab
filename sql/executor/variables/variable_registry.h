// System variables of an instance: global values here, session values in the sessions.
//
// Global values live as text under a mutex. What a new session starts with is kept beside them,
// already decoded: it copies that once, and reading its own settings then costs nothing.
// Thread-safe.
#pragma once

#include <map>
#include <string>

#include "base/mutex.h"
#include "sql/executor/variables/variable_spec.h"
#include "sql/session/system_variables.h"

namespace borealis::sql {

class VariableRegistry final : public SystemVariables {
 public:
  VariableRegistry();

  SessionSettings InitialSettings() const override;
  OtherVariables InitialOthers() const override;
  Result<TypedValue> Get(const Session& session, VariableScope scope,
                         std::string_view name) const override;
  Status Set(Session* session, VariableScope scope, std::string_view name,
             const TypedValue* value) override;
  Status SetAtStart(std::string_view name, std::string_view value) override;
  std::optional<uint64_t> IntegerValue(std::string_view name) const override;
  std::vector<VariableText> List(const Session& session, VariableScope scope) const override;

 private:
  using Globals = std::map<std::string, std::string, std::less<>>;
  // What new sessions make of the global values.
  struct Initial {
    SessionSettings settings;
    OtherVariables others;
  };

  static Initial InitialOf(const Globals& globals);
  // After a global value has changed.
  void ComputeInitial();
  std::string GlobalText(std::string_view name) const;
  std::string Text(const Session& session, const VariableSpec& spec, bool global) const;
  Status SetGlobal(const VariableSpec& spec, const std::string& text);
  // Rounds as MySQL does, with its warnings, and has the server resize the pool.
  Status SetBufferPoolSize(Session* session, const VariableSpec& spec, const std::string& text);
  Status SetSession(Session* session, const VariableSpec& spec, const std::string& text);

  mutable Mutex mutex_{LockRank::kLeaf};
  Globals globals_ GUARDED_BY(mutex_);
  uint64_t version_ GUARDED_BY(mutex_) = 0;  // of globals_
  Initial initial_ GUARDED_BY(mutex_);
};

}  // namespace borealis::sql
