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

TEST(StoredFormTest, AWrittenCollationComesBack) {
  for (const bool written : {false, true}) {
    TableDescriptor table = TwoColumns();
    table.columns[1].collation_written = written;
    Result<TableDescriptor> back = DecodeTableDescriptor(EncodeTableDescriptor(table));
    ASSERT_TRUE(back.ok()) << back.status().ToString();
    EXPECT_EQ(back->columns[1].collation_written, written);
    EXPECT_FALSE(back->columns[0].collation_written);
  }
}

std::string ToHex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    hex += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return hex;
}

// The same bytes, but of the format before: nothing was added but a flag.
std::string OfFormat5(std::string_view hex) {
  return "05" + std::string(hex.substr(2));
}

// Format 4, the first with views: read so.
constexpr std::string_view kViewOfFormat4 =
    "04010101610404003f0000000000000000000000000000ff0100000000000f73656c656374203120"
    "41532060616001010204726f6f7401250001ff01ff01000101730174000000";

// Written so, read so, and refused when cut anywhere.
TEST(StoredFormTest, AViewIsStoredSo) {
  constexpr std::string_view kView =
      "06010101610404003f0000000000000000000000000000ff0100000000000f73656c656374203120"
      "41532060616001010204726f6f7401250001ff01ff0100010173017400000000";
  TableDescriptor table;
  table.kind = TableKind::kView;
  ColumnDescriptor column;
  column.name = "a";
  column.type = row::Type::Int();
  table.columns.push_back(std::move(column));
  ViewDescriptor& view = table.view.emplace();
  view.text = "select 1 AS `a`";
  view.names_columns = true;
  view.algorithm = ViewAlgorithm::kMerge;
  view.check = ViewCheck::kCascaded;
  view.definer_user = "root";
  view.definer_host = "%";
  view.updatable = true;
  view.tables = {{"s", "t"}};
  EXPECT_EQ(ToHex(EncodeTableDescriptor(table)), kView);
  EXPECT_TRUE(DecodeTableDescriptor(FromHex(kViewOfFormat4)).ok());
  EXPECT_TRUE(DecodeTableDescriptor(FromHex(OfFormat5(kView))).ok());
  const std::string stored = FromHex(kView);
  Result<TableDescriptor> back = DecodeTableDescriptor(stored);
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(back->kind, TableKind::kView);
  ASSERT_TRUE(back->view.has_value());
  EXPECT_EQ(back->view->text, view.text);
  EXPECT_EQ(back->view->algorithm, ViewAlgorithm::kMerge);
  EXPECT_EQ(back->view->check, ViewCheck::kCascaded);
  EXPECT_EQ(back->view->definer_host, "%");
  EXPECT_TRUE(back->view->names_columns && back->view->updatable);
  ASSERT_EQ(back->view->tables.size(), 1u);
  EXPECT_EQ(back->view->tables[0].name, "t");
  for (size_t size = 0; size < stored.size(); ++size) {
    EXPECT_FALSE(DecodeTableDescriptor(stored.substr(0, size)).ok()) << size;
  }
}

// Triggers, since format 5: written so, read so, and refused when cut anywhere.
TEST(StoredFormTest, TriggersAreStoredSo) {
  constexpr std::string_view kTable =
      "06000201610404003f0000000000000000000001620404003f000000000000000000000107505249"
      "4d41525900010001000000000000ff01000000000000000002017800000d736574204e45572e6120"
      "3d203104726f6f740125a08080ad0408ff01ff0190a188c1c1c48203017901020962656769"
      "6e20656e64000000ff01ff01ff0100";
  TableDescriptor table = TwoColumns();
  table.triggers.resize(2);
  TriggerDescriptor& before = table.triggers[0];
  before.name = "x";
  before.body = "set NEW.a = 1";
  before.definer_user = "root";
  before.definer_host = "%";
  before.sql_mode = 1168113696;
  before.client_collation = 8;
  before.created_us = 1'700'000'000'250'000;
  TriggerDescriptor& after = table.triggers[1];
  after.name = "y";
  after.timing = TriggerTiming::kAfter;
  after.event = TriggerEvent::kDelete;
  after.body = "begin end";
  EXPECT_EQ(ToHex(EncodeTableDescriptor(table)), kTable);
  EXPECT_TRUE(DecodeTableDescriptor(FromHex(OfFormat5(kTable))).ok());
  const std::string stored = FromHex(kTable);
  Result<TableDescriptor> back = DecodeTableDescriptor(stored);
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  ASSERT_EQ(back->triggers.size(), 2u);
  EXPECT_EQ(back->triggers[0].name, "x");
  EXPECT_EQ(back->triggers[0].timing, TriggerTiming::kBefore);
  EXPECT_EQ(back->triggers[0].event, TriggerEvent::kInsert);
  EXPECT_EQ(back->triggers[0].body, before.body);
  EXPECT_EQ(back->triggers[0].definer_host, "%");
  EXPECT_EQ(back->triggers[0].sql_mode, 1168113696u);
  EXPECT_EQ(back->triggers[0].client_collation, 8);
  EXPECT_EQ(back->triggers[0].created_us, 1'700'000'000'250'000);
  EXPECT_EQ(back->triggers[1].timing, TriggerTiming::kAfter);
  EXPECT_EQ(back->triggers[1].event, TriggerEvent::kDelete);
  for (size_t size = 0; size < stored.size(); ++size) {
    EXPECT_FALSE(DecodeTableDescriptor(stored.substr(0, size)).ok()) << size;
  }
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
