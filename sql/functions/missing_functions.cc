// Native functions of MySQL 8.0 that are not offered, so that their use is refused by name (1235)
// and not taken for a stored function that nobody made (1305).
#include <algorithm>
#include <array>

#include "sql/functions/function.h"

namespace borealis::sql {

namespace {

// Lower case, sorted.
constexpr std::array<std::string_view, 70> kMissing = {
    "benchmark",
    "extractvalue",
    "format_bytes",
    "format_pico_time",
    "geomcollection",
    "geometrycollection",
    "get_lock",
    "grouping",
    "gtid_subset",
    "gtid_subtract",
    "is_free_lock",
    "is_used_lock",
    "json_array",
    "json_array_append",
    "json_array_insert",
    "json_arrayagg",
    "json_contains",
    "json_contains_path",
    "json_depth",
    "json_extract",
    "json_insert",
    "json_keys",
    "json_length",
    "json_merge",
    "json_merge_patch",
    "json_merge_preserve",
    "json_object",
    "json_objectagg",
    "json_overlaps",
    "json_pretty",
    "json_quote",
    "json_remove",
    "json_replace",
    "json_schema_valid",
    "json_schema_validation_report",
    "json_search",
    "json_set",
    "json_storage_free",
    "json_storage_size",
    "json_table",
    "json_type",
    "json_unquote",
    "json_valid",
    "json_value",
    "linestring",
    "load_file",
    "master_pos_wait",
    "mbrcontains",
    "mbrequals",
    "mbrintersects",
    "mbrwithin",
    "multilinestring",
    "multipoint",
    "multipolygon",
    "name_const",
    "point",
    "polygon",
    "ps_current_thread_id",
    "ps_thread_id",
    "random_bytes",
    "release_all_locks",
    "release_lock",
    "roles_graphml",
    "source_pos_wait",
    "statement_digest",
    "statement_digest_text",
    "updatexml",
    "validate_password_strength",
    "wait_for_executed_gtid_set",
    "weight_string",
};

}  // namespace

bool IsMissingFunction(std::string_view name) {
  return name.starts_with("st_") || std::binary_search(kMissing.begin(), kMissing.end(), name);
}

}  // namespace borealis::sql
