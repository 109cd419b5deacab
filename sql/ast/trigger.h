// When a trigger fires. Stored as numbers: see sql/catalog/descriptor_codec.cc.
#pragma once

#include <cstdint>

namespace borealis::sql {

enum class TriggerTiming : uint8_t { kBefore = 0, kAfter = 1 };
enum class TriggerEvent : uint8_t { kInsert = 0, kUpdate = 1, kDelete = 2 };

// "BEFORE", "AFTER"; "INSERT", "UPDATE", "DELETE".
const char* TriggerTimingName(TriggerTiming timing);
const char* TriggerEventName(TriggerEvent event);

}  // namespace borealis::sql
