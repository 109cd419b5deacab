#include "sql/executor/tables/server_session.h"

namespace borealis::sql {
namespace {

class OutcomeSink final : public ResultSink {
 public:
  Status OnColumns(std::span<const ResultColumn> /*columns*/) override { return Status::Ok(); }
  Status OnRow(std::span<const row::Value> /*row*/) override { return Status::Ok(); }
  void OnDone(const OkInfo& /*ok*/) override {}
  void OnError(const Status& status, uint16_t /*flags*/) override { error = status; }

  Status error;
};

}  // namespace

SessionEnvironment ServerEnvironment(SessionEnvironment environment) {
  environment.server = nullptr;
  environment.grants = nullptr;
  environment.counters = nullptr;
  return environment;
}

SessionIdentity ServerIdentity() {
  SessionIdentity identity;
  identity.user = identity.account_user = "root";
  identity.host = identity.account_host = "localhost";
  return identity;
}

Status RunServerStatement(Session& session, std::string_view text,
                          const std::vector<std::optional<std::string>>& values) {
  OutcomeSink sink;
  if (values.empty()) {
    session.ExecuteAndWait(text, sink);
    return sink.error;
  }
  ASSIGN_OR_RETURN(const PreparedInfo prepared, session.Prepare(text));
  std::vector<TypedValue> parameters;
  for (const std::optional<std::string>& value : values) {
    TypedValue parameter;
    if (value.has_value()) {
      parameter.type =
          row::Type::Varchar(static_cast<uint32_t>(value->size()), row::kDefaultCollation);
      parameter.value = row::Value::String(*value);
    }
    parameters.push_back(std::move(parameter));
  }
  // Inside a transaction nothing waits for the volume.
  INVARIANT(session.in_transaction());
  session.ExecutePrepared(prepared.id, parameters, sink, [] {});
  session.ClosePrepared(prepared.id);
  return sink.error;
}

}  // namespace borealis::sql
