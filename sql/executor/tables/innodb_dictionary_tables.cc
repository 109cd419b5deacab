// information_schema.INNODB_COLUMNS, INNODB_INDEXES, INNODB_FIELDS, INNODB_VIRTUAL and
// INNODB_TABLESTATS: tables as InnoDB's dictionary numbers and types them.
#include <fmt/format.h>

#include <algorithm>

#include "engine/engine.h"
#include "row/collation.h"
#include "sql/catalog/catalog.h"
#include "sql/executor/definition/stored_text.h"
#include "sql/executor/tables/innodb_tables.h"
#include "sql/executor/tables/system_rows.h"
#include "sql/session/session.h"

namespace borealis::sql {
namespace {

// ---- types

// InnoDB's main types.
enum MainType : uint64_t {
  kVarcharLatin1 = 1,
  kCharLatin1 = 2,
  kFixedBinary = 3,
  kVarbinary = 4,
  kBlob = 5,
  kInteger = 6,
  kFloat = 9,
  kDouble = 10,
  kVarchar = 12,
  kChar = 13,
};

MainType MainTypeOf(const row::Type& type) {
  using Kind = row::TypeKind;
  const bool latin1 = type.collation == row::kLatin1SwedishCi;
  switch (type.kind) {
    case Kind::kFloat:
      return kFloat;
    case Kind::kDouble:
      return kDouble;
    case Kind::kDecimal:
    case Kind::kBit:
    case Kind::kTime:
    case Kind::kDateTime:
    case Kind::kTimestamp:
    case Kind::kBinary:
      return kFixedBinary;
    case Kind::kVarbinary:
      return kVarbinary;
    case Kind::kChar:
      return latin1 ? kCharLatin1 : kChar;
    case Kind::kVarchar:
      return latin1 ? kVarcharLatin1 : kVarchar;
    case Kind::kJson:
      return kBlob;
    default:
      return type.is_string() ? kBlob : kInteger;
  }
}

uint64_t BytesOfDecimal(const row::Type& type) {
  constexpr uint64_t kBytesOfDigits[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
  const uint64_t whole = type.length - type.scale;
  return whole / 9 * 4 + kBytesOfDigits[whole % 9] + type.scale / 9 * 4 +
         kBytesOfDigits[type.scale % 9];
}

uint64_t MaxBytes(const row::Type& type) {
  return static_cast<uint64_t>(row::GetCollation(type.collation).charset().max_bytes);
}

// Bytes in a row; of texts and blobs those of their length and their place.
uint64_t BytesOf(const row::Type& type) {
  using Kind = row::TypeKind;
  const uint64_t fraction = (type.scale + 1) / 2;
  switch (type.kind) {
    case Kind::kTinyInt:
    case Kind::kYear:
      return 1;
    case Kind::kSmallInt:
      return 2;
    case Kind::kMediumInt:
    case Kind::kDate:
      return 3;
    case Kind::kInt:
    case Kind::kFloat:
      return 4;
    case Kind::kBigInt:
    case Kind::kDouble:
      return 8;
    case Kind::kDecimal:
      return BytesOfDecimal(type);
    case Kind::kBit:
      return (type.length + 7) / 8;
    case Kind::kTime:
      return 3 + fraction;
    case Kind::kDateTime:
      return 5 + fraction;
    case Kind::kTimestamp:
      return 4 + fraction;
    case Kind::kEnum:
      return type.members->size() < 256 ? 1 : 2;
    case Kind::kSet: {
      const uint64_t bytes = (type.members->size() + 7) / 8;
      return bytes > 4 ? 8 : bytes;
    }
    case Kind::kTinyText:
    case Kind::kTinyBlob:
      return 9;
    case Kind::kText:
    case Kind::kBlob:
      return 10;
    case Kind::kMediumText:
    case Kind::kMediumBlob:
      return 11;
    case Kind::kLongText:
    case Kind::kLongBlob:
    case Kind::kJson:
      return 12;
    default:
      return type.length * (type.is_text() ? MaxBytes(type) : 1);
  }
}

// The precise type: MySQL's code, flags, and the collation where InnoDB compares with one.
uint64_t PreciseTypeOf(const ColumnDescriptor& column) {
  using Kind = row::TypeKind;
  constexpr uint64_t kNotNull = 256;
  constexpr uint64_t kUnsigned = 512;
  constexpr uint64_t kBinary = 1024;
  constexpr uint64_t kLongVarchar = 4096;
  constexpr uint64_t kVirtual = 8192;
  constexpr uint64_t kVarcharCode = 15;
  constexpr uint64_t kNumbersCollation = 8;
  const row::Type& type = column.type;
  const bool members = type.kind == Kind::kEnum || type.kind == Kind::kSet;
  const bool varies = type.kind == Kind::kVarchar || type.kind == Kind::kVarbinary;
  uint64_t bits = varies ? kVarcharCode : static_cast<uint64_t>(row::WireTypeCode(type));
  bits |= type.nullable ? 0 : kNotNull;
  bits |= type.is_unsigned || members || type.kind == Kind::kYear || type.kind == Kind::kBit
              ? kUnsigned
              : 0;
  bits |= members || (type.is_text() && type.kind != Kind::kJson) ? 0 : kBinary;
  bits |= varies && BytesOf(type) > 255 ? kLongVarchar : 0;
  bits |= column.generated == GeneratedKind::kVirtual ? kVirtual : 0;
  const MainType main = MainTypeOf(type);
  if (main == kInteger || main == kFloat || main == kDouble) {
    return bits;
  }
  uint64_t collation = type.collation;
  if (type.kind == Kind::kJson) {
    collation = row::kUtf8mb4Bin;
  } else if (type.is_decimal() || type.is_temporal()) {
    collation = kNumbersCollation;
  }
  return bits | collation << 16;
}

// ---- columns

// Of what is stored in rows, in order.
std::vector<const ColumnDescriptor*> StoredColumnsOf(const TableDescriptor& table) {
  std::vector<const ColumnDescriptor*> list;
  for (const ColumnDescriptor& column : table.columns) {
    if (!column.hidden && column.generated != GeneratedKind::kVirtual) {
      list.push_back(&column);
    }
  }
  return list;
}

struct VirtualColumn {
  const ColumnDescriptor* column;
  uint64_t position;  // which virtual column, from 1, and which of all
};

std::vector<VirtualColumn> VirtualColumnsOf(const TableDescriptor& table) {
  std::vector<VirtualColumn> list;
  uint64_t number = 0;
  for (const ColumnDescriptor& column : table.columns) {
    if (column.generated == GeneratedKind::kVirtual) {
      list.push_back({&column, (list.size() + 1) << 16 | number});
    }
    if (!column.hidden || column.generated == GeneratedKind::kVirtual) {
      ++number;
    }
  }
  return list;
}

using TableScan = Status (*)(SystemRows& rows, const CatalogEntry& entry);

Status ForEachBaseTable(SystemRows& rows, TableScan scan) {
  return ForEachTable(
      rows, std::nullopt, std::nullopt, [&rows, scan](const CatalogEntry& entry) -> Status {
        return entry.table->kind == TableKind::kBase ? scan(rows, entry) : Status::Ok();
      });
}

Status AddColumn(SystemRows& rows, const TableDescriptor& table, const ColumnDescriptor& column,
                 uint64_t position) {
  SystemRow row = rows.NewRow();
  row.Number(table.table_id).Text(column.name).Number(position).Number(MainTypeOf(column.type));
  row.Number(PreciseTypeOf(column)).Number(BytesOf(column.type));
  // Rows from before an instant ADD COLUMN are read with SQL's value for it, which is not InnoDB's.
  return rows.Add(row.Number(0).Null());
}

Status AddColumns(SystemRows& rows, const CatalogEntry& entry) {
  uint64_t position = 0;
  for (const ColumnDescriptor* column : StoredColumnsOf(*entry.table)) {
    RETURN_IF_ERROR(AddColumn(rows, *entry.table, *column, position++));
  }
  for (const VirtualColumn& column : VirtualColumnsOf(*entry.table)) {
    RETURN_IF_ERROR(AddColumn(rows, *entry.table, *column.column, column.position));
  }
  return Status::Ok();
}

Status ScanColumns(SystemRows& rows) {
  return ForEachBaseTable(rows, AddColumns);
}

// A row for each stored column that a virtual one is computed from.
Status AddVirtual(SystemRows& rows, const CatalogEntry& entry) {
  const std::vector<const ColumnDescriptor*> stored = StoredColumnsOf(*entry.table);
  for (const VirtualColumn& column : VirtualColumnsOf(*entry.table)) {
    const StoredTextFacts facts = ReadStoredText(column.column->generated_text);
    for (size_t base = 0; base < stored.size(); ++base) {
      const bool read =
          std::any_of(facts.columns.begin(), facts.columns.end(),
                      [&](const auto& name) { return SameName(name, stored[base]->name); });
      if (read) {
        SystemRow row = rows.NewRow();
        row.Number(entry.table->table_id).Number(column.position);
        RETURN_IF_ERROR(rows.Add(row.Number(base)));
      }
    }
  }
  return Status::Ok();
}

Status ScanVirtual(SystemRows& rows) {
  return ForEachBaseTable(rows, AddVirtual);
}

// ---- indexes

uint64_t IndexType(const TableDescriptor& table, size_t index_no) {
  constexpr uint64_t kClustered = 1;
  constexpr uint64_t kUnique = 2;
  constexpr uint64_t kOfVirtual = 128;
  const IndexDescriptor& index = table.indexes[index_no];
  const bool of_virtual =
      std::any_of(index.parts.begin(), index.parts.end(), [&](const IndexPart& part) {
        return table.columns[part.column].generated == GeneratedKind::kVirtual;
      });
  return (index_no == 0 ? kClustered : 0) | (index.unique() ? kUnique : 0) |
         (of_virtual ? kOfVirtual : 0);
}

// Of an entry: the clustered index has whole rows with their transaction and their undo, the others
// the rows' key behind their own.
uint64_t FieldsOfIndex(const TableDescriptor& table, size_t index_no) {
  const IndexDescriptor& clustered = table.indexes.front();
  const bool row_id = clustered.kind == IndexKind::kRowId;
  if (index_no == 0) {
    return StoredColumnsOf(table).size() + (row_id ? 3 : 2);
  }
  const std::vector<IndexPart>& parts = table.indexes[index_no].parts;
  const auto absent = [&](const IndexPart& key) {
    return std::none_of(parts.begin(), parts.end(), [&](const IndexPart& part) {
      return part.column == key.column && part.prefix_length == 0;
    });
  };
  const auto behind = std::count_if(clustered.parts.begin(), clustered.parts.end(), absent);
  return parts.size() + static_cast<uint64_t>(behind);
}

Status AddIndexes(SystemRows& rows, const CatalogEntry& entry) {
  constexpr uint64_t kMergeThreshold = 50;
  const TableDescriptor& table = *entry.table;
  for (size_t i = 0; i < table.indexes.size(); ++i) {
    const engine::IndexDefinition& stored = entry.engine->definition().indexes[i];
    SystemRow row = rows.NewRow();
    row.Number(stored.id.value()).Text(table.indexes[i].name).Number(table.table_id);
    row.Number(IndexType(table, i)).Number(FieldsOfIndex(table, i)).Number(stored.root.value());
    RETURN_IF_ERROR(rows.Add(row.Number(table.table_id).Number(kMergeThreshold)));
  }
  return Status::Ok();
}

Status ScanIndexes(SystemRows& rows) {
  return ForEachBaseTable(rows, AddIndexes);
}

Status AddFields(SystemRows& rows, const CatalogEntry& entry) {
  const TableDescriptor& table = *entry.table;
  for (size_t i = 0; i < table.indexes.size(); ++i) {
    if (table.indexes[i].kind == IndexKind::kRowId) {
      continue;
    }
    uint64_t position = 0;
    for (const IndexPart& part : table.indexes[i].parts) {
      SystemRow row = rows.NewRow();
      row.Text(std::to_string(entry.engine->definition().indexes[i].id.value()));
      RETURN_IF_ERROR(rows.Add(row.Text(table.columns[part.column].name).Number(position++)));
    }
  }
  return Status::Ok();
}

Status ScanFields(SystemRows& rows) {
  return ForEachBaseTable(rows, AddFields);
}

// ---- statistics

Status AddTableStats(SystemRows& rows, const CatalogEntry& entry) {
  const TableDescriptor& table = *entry.table;
  ASSIGN_OR_RETURN(const auto statistics, entry.owner->Statistics(*entry.engine));
  uint64_t next = 0;
  if (table.auto_increment_column() >= 0 && rows.Reads(7, 7)) {
    ASSIGN_OR_RETURN(next, entry.owner->PeekAutoIncrement(*entry.engine));
  }
  SystemRow row = rows.NewRow();
  row.Number(table.table_id).Text(InnodbName(table.schema, table.name));
  row.Text(statistics->rough ? "Uninitialized" : "Initialized").Number(statistics->row_count);
  row.Number(statistics->clustered_pages).Number(statistics->secondary_pages).Number(0);
  return rows.Add(row.Number(next).Number(0));
}

Status ScanTableStats(SystemRows& rows) {
  return ForEachBaseTable(rows, AddTableStats);
}

constexpr std::string_view kSchema = "information_schema";

}  // namespace

std::vector<SystemTableDefinition> InnodbDictionarySystemTables() {
  return {
      {kSchema, "INNODB_COLUMNS", "", ScanColumns},
      {kSchema, "INNODB_VIRTUAL", "", ScanVirtual},
      {kSchema, "INNODB_INDEXES", "", ScanIndexes},
      {kSchema, "INNODB_FIELDS", "", ScanFields},
      {kSchema, "INNODB_TABLESTATS", "", ScanTableStats},
  };
}

}  // namespace borealis::sql
