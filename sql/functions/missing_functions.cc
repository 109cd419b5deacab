// Native functions of MySQL 8.0 that are not offered, so that their use is refused by name (1235)
// and not taken for a stored function that nobody made (1305).
#include <algorithm>
#include <array>

#include "sql/functions/function.h"

namespace borealis::sql {

namespace {

// Lower case, sorted.
constexpr std::array<std::string_view, 53> kMissing = {
    "aes_decrypt",
    "aes_encrypt",
    "benchmark",
    "compress",
    "export_set",
    "extractvalue",
    "format_bytes",
    "format_pico_time",
    "geomcollection",
    "geometrycollection",
    "gtid_subset",
    "gtid_subtract",
    "icu_version",
    "inet6_aton",
    "inet6_ntoa",
    "is_ipv4",
    "is_ipv4_compat",
    "is_ipv4_mapped",
    "is_ipv6",
    "json_table",
    "linestring",
    "load_file",
    "make_set",
    "master_pos_wait",
    "mbrcontains",
    "mbrcoveredby",
    "mbrcovers",
    "mbrdisjoint",
    "mbrequals",
    "mbrintersects",
    "mbroverlaps",
    "mbrtouches",
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
    "roles_graphml",
    "source_pos_wait",
    "statement_digest",
    "statement_digest_text",
    "uncompress",
    "uncompressed_length",
    "updatexml",
    "uuid_short",
    "validate_password_strength",
    "wait_for_executed_gtid_set",
    "weight_string",
};

}  // namespace

bool IsMissingFunction(std::string_view name) {
  return name.starts_with("st_") || std::binary_search(kMissing.begin(), kMissing.end(), name);
}

}  // namespace borealis::sql
