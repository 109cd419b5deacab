// What character_set_results does to an answer: the bytes of its texts, and what is told of them.
//
// Values of text, names and error messages leave in that character set; characters it lacks become
// '?'. With NULL or binary, values leave in the character set of their own column. Values that are
// UTF-8 here and there cost nothing: EncodingOf says once per column that there is nothing to do.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "protocol/mysql/response.h"
#include "row/collation.h"
#include "row/type.h"
#include "sql/context/result_sink.h"
#include "sql/context/settings.h"

namespace borealis::server {

class ResultCharset {
 public:
  explicit ResultCharset(const sql::SessionSettings& settings);

  mysql::ColumnDefinition Describe(const sql::ResultColumn& column) const;
  // In which values of the type are sent; null: as they are.
  const row::Charset* EncodingOf(const row::Type& type) const;
  std::string Name(std::string_view name) const;
  // The same error with the message to send.
  Status Error(const Status& error) const;

 private:
  bool converts() const { return results_ != nullptr && results_->is_text(); }
  void DescribeText(const sql::ResultColumn& column, mysql::ColumnDefinition* definition) const;

  const row::Collation* results_;  // null: character_set_results is NULL
};

}  // namespace borealis::server
