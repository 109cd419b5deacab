// Values a client binds: parameters of COM_STMT_EXECUTE and query attributes, in the binary
// encoding.
//
// A statement's types come with the first execution and are remembered; later executions may leave
// them out ("types bound" flag 0). Long data sent beforehand by COM_STMT_SEND_LONG_DATA replaces a
// parameter's value for one execution.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "protocol/mysql/constants.h"
#include "protocol/mysql/temporal.h"

namespace borealis::mysql {

class WireReader;

struct ParameterType {
  ColumnType type = ColumnType::kNull;
  bool is_unsigned = false;
};

// NULL, integer (signed or not by its type), floating (FLOAT widened), bytes (strings, decimals as
// text, blobs, bits, JSON), date or date and time, time.
using ParameterValue =
    std::variant<std::monostate, int64_t, uint64_t, double, std::string, DateTime, TimeOfDay>;

struct Parameter {
  ParameterType type;
  ParameterValue value;
  bool is_null() const { return std::holds_alternative<std::monostate>(value); }
};

struct NamedParameter {
  std::string name;
  Parameter parameter;
};

// Fails the reader, and returns NULL, on malformed bytes or a type that cannot be sent.
ParameterValue DecodeBinaryValue(WireReader& reader, ParameterType type);

// The attribute part of COM_QUERY, from the null bitmap on.
Status DecodeQueryAttributes(WireReader& reader, uint64_t count, std::vector<NamedParameter>* out);

// What a prepared statement keeps between executions. One per statement; not thread-safe.
class ExecuteParameters {
 public:
  explicit ExecuteParameters(uint16_t count) : types_(count), long_data_(count) {}

  uint16_t count() const { return static_cast<uint16_t>(types_.size()); }

  // COM_STMT_SEND_LONG_DATA: appended to what came before. 1210 when there is no such parameter,
  // 1153 when the whole exceeds `max_size`. As in MySQL, the caller reports the error at the next
  // execution, because this command has no answer.
  Status AddLongData(uint16_t parameter, std::string_view data, uint64_t max_size);

  // Decodes StmtExecuteCommand::parameters. `flags` are the command's, `capabilities` the
  // connection's. Consumes the long data. `values` gets count() entries; `attributes` the query
  // attributes. 1210 when no types were ever bound, 1835 when malformed.
  Status Decode(std::string_view bytes, uint8_t flags, uint32_t capabilities,
                std::vector<Parameter>* values, std::vector<NamedParameter>* attributes);

  // COM_STMT_RESET: forgets long data.
  void ResetLongData();

 private:
  struct LongData {
    bool present = false;
    std::string bytes;
  };
  std::vector<ParameterType> types_;
  bool bound_ = false;
  std::vector<LongData> long_data_;
};

}  // namespace borealis::mysql
