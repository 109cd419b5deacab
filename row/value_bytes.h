// Values as bytes and back, kind by kind, whatever their types say of them: for rows that a
// statement puts aside for a while. Not a stored format: only the process that wrote it reads it.
//
// For each value its kind (u8) and what it holds: 8 bytes, or for strings and decimals (as text,
// which keeps the scale) a size and bytes.
#pragma once

#include <string>

#include "base/coding.h"
#include "base/result.h"
#include "row/value.h"

namespace borealis::row {

void AppendValue(const Value& value, std::string* out);
// A string's value borrows what is read. kCorruption when the bytes are no value.
Result<Value> ReadValue(ByteReader* reader);

}  // namespace borealis::row
