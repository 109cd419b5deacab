#include "server/session/result_charset.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/mysql_error.h"

namespace borealis::server {

namespace {

using row::CharsetId;

// What a JSON function gives is text of this collation, of 2^30 - 1 characters at most.
constexpr uint64_t kJsonCharacters = (uint64_t{1} << 30) - 1;

uint32_t ToLength(uint64_t bytes) {
  return static_cast<uint32_t>(std::min<uint64_t>(bytes, UINT32_MAX));
}

// What is computed tells how large a TEXT or BLOB it is; columns of tables tell BLOB of them all.
mysql::ColumnType TypeOf(const row::Type& type, bool computed) {
  using row::TypeKind;
  if (computed) {
    switch (type.kind) {
      case TypeKind::kTinyText:
      case TypeKind::kTinyBlob:
        return mysql::ColumnType::kTinyBlob;
      case TypeKind::kMediumText:
      case TypeKind::kMediumBlob:
        return mysql::ColumnType::kMediumBlob;
      case TypeKind::kLongText:
      case TypeKind::kLongBlob:
        return mysql::ColumnType::kLongBlob;
      default:
        break;
    }
  }
  return static_cast<mysql::ColumnType>(row::WireTypeCode(type));
}

// Text and all else that MySQL computes without a number of decimals.
bool HasNoScale(const row::Type& type) {
  return type.is_string() || type.is_enum_or_set() || type.kind == row::TypeKind::kJson;
}

// UTF-8 in any case: a client that decodes it must not fail.
std::string WellFormed(std::string_view text) {
  std::string out;
  for (size_t pos = 0; pos < text.size();) {
    size_t size;
    if (row::DecodeChar(text, pos, &size) == row::kBadChar) {
      out += '?';
    } else {
      out.append(text.substr(pos, size));
    }
    pos += size;
  }
  return out;
}

}  // namespace

// SET NAMES gives the results the collation that it gives the connection.
ResultCharset::ResultCharset(const sql::SessionSettings& settings) : results_(nullptr) {
  if (!settings.results_unconverted) {
    const row::Collation& connection = row::GetCollation(settings.collation_connection);
    const row::Charset& results = row::GetCharset(settings.character_set_results);
    results_ = connection.charset().id == results.id
                   ? &connection
                   : row::FindCollation(results.default_collation);
  }
}

mysql::ColumnDefinition ResultCharset::Describe(const sql::ResultColumn& column) const {
  mysql::ColumnDefinition definition;
  definition.schema = Name(column.schema);
  definition.table = Name(column.table);
  definition.org_table = Name(column.org_table);
  definition.name = Name(column.name);
  definition.org_name = Name(column.org_name);
  definition.collation = row::WireCollation(column.type);
  definition.length = row::ColumnLengthBytes(column.type);
  definition.type = TypeOf(column.type, column.computed);
  if (column.computed) {
    definition.flags = row::WireFlagsOfComputed(column.type);
    definition.decimals =
        HasNoScale(column.type) ? row::Type::kFloatingScale : row::WireDecimals(column.type);
  } else {
    definition.flags = row::WireFlags(column.type) | column.extra_flags;
    definition.decimals = row::WireDecimals(column.type);
  }
  if (column.type.has_collation() && column.type.collation != row::kBinaryCollation) {
    DescribeText(column, &definition);
  } else if (column.type.kind == row::TypeKind::kJson && column.org_table.empty()) {
    definition.collation = results_ != nullptr ? results_->id() : row::kUtf8mb4Bin;
    definition.length =
        results_ != nullptr
            ? ToLength(kJsonCharacters * static_cast<uint64_t>(results_->charset().max_bytes))
            : UINT32_MAX;
  }
  return definition;
}

// The length is that of the longest value in bytes, as it is sent. Of a TEXT that is not converted
// it is what the column holds; of one that is computed MySQL takes the bytes for characters.
void ResultCharset::DescribeText(const sql::ResultColumn& column,
                                 mysql::ColumnDefinition* definition) const {
  const row::Type& type = column.type;
  const row::Collation& own = row::GetCollation(type.collation);
  const row::Collation& sent = results_ != nullptr ? *results_ : own;
  const bool plain = results_ == nullptr && type.is_blob();
  const uint64_t bytes = plain ? 1 : static_cast<uint64_t>(sent.charset().max_bytes);
  const uint64_t characters =
      uint64_t{row::DisplayWidth(type)} *
      (column.computed && type.is_blob() ? static_cast<uint64_t>(own.charset().max_bytes) : 1);
  definition->collation = sent.id();
  definition->length = ToLength(characters * bytes);
}

const row::Charset* ResultCharset::EncodingOf(const row::Type& type) const {
  const bool json = type.kind == row::TypeKind::kJson;
  if (!json && !type.has_collation()) {
    return nullptr;
  }
  const row::Charset& own =
      json ? row::GetCharset(CharsetId::kUtf8mb4) : row::GetCollation(type.collation).charset();
  if (own.id == CharsetId::kBinary) {
    return nullptr;
  }
  const row::Charset& sent = converts() ? results_->charset() : own;
  // Within one set of UTF-8 or ASCII nothing changes; of latin1 the bytes differ from ours.
  const bool same = sent.id == own.id || sent.id == CharsetId::kUtf8mb4;
  return same && sent.id != CharsetId::kLatin1 ? nullptr : &sent;
}

// Names are utf8mb3, as MySQL's are, and are sent as text.
std::string ResultCharset::Name(std::string_view name) const {
  if (row::IsAscii(name)) {
    return std::string(name);
  }
  const std::string known = row::GetCharset(CharsetId::kUtf8mb3).Encode(name);
  return converts() ? results_->charset().Encode(known) : known;
}

// A character that the client cannot have is shown by its number.
Status ResultCharset::Error(const Status& error) const {
  const Status user = ToUserError(error);
  const std::string_view message = user.message();
  if (row::IsAscii(message)) {
    return user;
  }
  std::string text = WellFormed(message);
  if (converts()) {
    const row::Charset& charset = results_->charset();
    std::string shown;
    while (!text.empty()) {
      const size_t valid = charset.ValidPrefix(text);
      shown += charset.Encode(std::string_view(text).substr(0, valid));
      if (valid == text.size()) {
        break;
      }
      size_t size;
      const char32_t c = row::DecodeChar(text, valid, &size);
      shown += fmt::format("\\{:04X}", static_cast<uint32_t>(c));
      text.erase(0, valid + size);
    }
    text = std::move(shown);
  }
  return Status::User(user.user_errno(), std::move(text));
}

}  // namespace borealis::server
