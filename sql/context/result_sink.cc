#include "sql/context/result_sink.h"

#include "base/mysql_error.h"

namespace borealis::sql {

Result<std::unique_ptr<ByteSource>> ResultSink::OpenClientFile(std::string_view /*name*/) {
  return UserError(ER_CLIENT_LOCAL_FILES_DISABLED);
}

}  // namespace borealis::sql
