#include "tests/unit/sql/executor/answer.h"

#include <fmt/ranges.h>

#include "row/convert.h"
#include "sql/functions/eval_context.h"

namespace borealis::sql {
namespace {

class TextSink final : public ResultSink {
 public:
  TextSink(Session* session, Answer* answer) : session_(session), answer_(answer) {}
  Status OnColumns(std::span<const ResultColumn> columns) override {
    answer_->columns.assign(columns.begin(), columns.end());
    return {};
  }
  Status OnRow(std::span<const row::Value> row) override {
    const row::TimeZone& zone = session_->eval_context().conversion.time_zone();
    std::vector<std::string> texts;
    for (size_t i = 0; i < row.size(); ++i) {
      texts.push_back(row[i].is_null() ? "NULL"
                                       : row::ToText(row[i], answer_->columns[i].type, zone));
    }
    answer_->rows.push_back(std::move(texts));
    return {};
  }
  void OnDone(const OkInfo&) override {}
  void OnSqlState(std::string_view sqlstate) override { answer_->sqlstate = sqlstate; }
  void OnError(const Status& error, uint16_t) override {
    answer_->error = error.user_errno();
    answer_->message = error.message();
  }

 private:
  Session* session_;
  Answer* answer_;
};

}  // namespace

std::string Answer::ToString() const {
  if (error != 0) {
    return fmt::format("error {}{}{}", error, sqlstate.empty() ? "" : " ", sqlstate);
  }
  return fmt::format("{}", fmt::join(Lines(), "|"));
}

std::vector<std::string> Answer::Lines() const {
  std::vector<std::string> lines;
  for (const std::vector<std::string>& row : rows) {
    lines.push_back(fmt::format("{}", fmt::join(row, ",")));
  }
  return lines;
}

std::string Answer::Names() const {
  std::string names;
  for (const ResultColumn& column : columns) {
    names += (names.empty() ? "" : ",") + column.name;
  }
  return names;
}

Answer Ask(Session* session, std::string_view text) {
  Answer answer;
  TextSink sink(session, &answer);
  session->ExecuteAndWait(text, sink);
  return answer;
}

Answer AskPrepared(Session* session, uint32_t id, std::span<const TypedValue> parameters) {
  Answer answer;
  TextSink sink(session, &answer);
  session->ExecutePrepared(id, parameters, sink, [] {});
  return answer;
}

}  // namespace borealis::sql
