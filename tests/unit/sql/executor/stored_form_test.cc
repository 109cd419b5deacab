// Payloads of table definitions: what earlier programs wrote reads as it was meant, and what is
// damaged is refused.
#include <gtest/gtest.h>

#include "sql/catalog/table_descriptor.h"

namespace borealis::sql {
namespace {

TableDescriptor TwoColumns() {
  TableDescriptor table;
  for (const char* name : {"a", "b"}) {
    ColumnDescriptor column;
    column.name = name;
    column.type = row::Type::Int();
    table.columns.push_back(std::move(column));
  }
  IndexDescriptor primary;
  primary.name = "PRIMARY";
  primary.kind = IndexKind::kPrimary;
  primary.parts = {{0, 0, false}};
  table.indexes = {primary};
  return table;
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// Format 1, as it was written before columns had places.
TEST(StoredFormTest, TheFirstFormatHasItsColumnsInOrder) {
  constexpr std::string_view kFirst =
      "01000201610404003f0000000000000000000001620404003f000000000000000000000107505249"
      "4d415259000100010000000000ff0100000000000000000000";
  Result<TableDescriptor> table = DecodeTableDescriptor(FromHex(kFirst));
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  ASSERT_EQ(table->columns.size(), 2u);
  EXPECT_EQ(table->columns[1].name, "b");
  EXPECT_EQ(table->indexes[0].name, "PRIMARY");
  EXPECT_TRUE(table->stored.places.empty());
  EXPECT_TRUE(table->stored.dropped.empty());
  EXPECT_EQ(table->stored.row_versions, 0u);
  EXPECT_EQ(MakeRowSchema(*table).stored_size(), 2u);
}

TEST(StoredFormTest, PlacesComeBack) {
  TableDescriptor table = TwoColumns();
  table.stored.places = {3, 1};
  table.stored.dropped = {{0, row::Type::BigInt()}, {2, row::Type::Varbinary(7)}};
  table.stored.row_versions = 5;
  Result<TableDescriptor> back = DecodeTableDescriptor(EncodeTableDescriptor(table));
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(back->stored.places, table.stored.places);
  ASSERT_EQ(back->stored.dropped.size(), 2u);
  EXPECT_EQ(back->stored.dropped[1].place, 2u);
  EXPECT_EQ(back->stored.dropped[1].type.kind, row::TypeKind::kVarbinary);
  EXPECT_EQ(back->stored.row_versions, 5u);
  EXPECT_EQ(MakeRowSchema(*back).stored_size(), 4u);
  EXPECT_EQ(MakeRowSchema(*back).type(0).kind, row::TypeKind::kInt);
}

TEST(StoredFormTest, PlacesThatCannotBeAreDamage) {
  const auto refused = [](const StoredForm& stored) {
    TableDescriptor table = TwoColumns();
    table.stored = stored;
    return !DecodeTableDescriptor(EncodeTableDescriptor(table)).ok();
  };
  EXPECT_FALSE(refused({{1, 0}, {}, 1}));
  EXPECT_TRUE(refused({{1, 1}, {}, 1}));
  EXPECT_TRUE(refused({{0, 2}, {}, 1}));
  EXPECT_TRUE(refused({{0}, {}, 1}));
  EXPECT_TRUE(refused({{0, 1}, {{1, row::Type::Int()}}, 1}));
  EXPECT_TRUE(refused({{}, {{0, row::Type::Int()}}, 1}));
}

}  // namespace
}  // namespace borealis::sql
