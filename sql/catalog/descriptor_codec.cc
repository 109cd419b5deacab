// The payload format of table and schema definitions.
#include "base/coding.h"
#include "row/collation.h"
#include "sql/catalog/table_descriptor.h"

namespace borealis::sql {
namespace {

// 2 adds the tables that refer to this one, and which indexes were made for a foreign key; 3 adds
// the stored form; 4 describes views in full; 5 adds triggers; 6 says whose collation was written.
constexpr uint8_t kTableFormat = 6;
constexpr uint8_t kTableFormatOldest = 1;
constexpr uint8_t kSchemaFormat = 1;
// A payload is bounded by what a statement can say; anything larger is damage.
constexpr uint64_t kMaxListSize = 65536;

class Writer {
 public:
  void Byte(uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void Flag(bool value) { Byte(value ? 1 : 0); }
  void Number(uint64_t value) { AppendVarint(&bytes_, value); }
  void Text(std::string_view text) { AppendSized(&bytes_, text); }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what Writer wrote; the first mistake makes ok() false and all later reads empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : reader_(bytes) {}
  uint8_t Byte() { return reader_.Little<uint8_t>(); }
  // An enum stored as a byte, at most `last`.
  template <class E>
  E Enum(E last) {
    uint8_t value = Byte();
    if (value > static_cast<uint8_t>(last)) {
      damaged_ = true;
      value = 0;
    }
    return static_cast<E>(value);
  }
  bool Flag() {
    uint8_t value = Byte();
    damaged_ |= value > 1;
    return value == 1;
  }
  uint64_t Number() { return reader_.Varint(); }
  uint32_t Number32() {
    uint64_t value = Number();
    damaged_ |= value > 0xFFFFFFFF;
    return static_cast<uint32_t>(value);
  }
  std::string Text() { return std::string(reader_.Sized()); }
  std::string_view View() { return reader_.Sized(); }
  // Number of elements that follow; 0 when impossible.
  size_t Count() {
    uint64_t count = Number();
    if (count > kMaxListSize || count > reader_.rest().size()) {
      damaged_ = true;
      return 0;
    }
    return count;
  }
  void Damage() { damaged_ = true; }
  bool ok() const { return reader_.ok() && !damaged_; }
  bool complete() const { return ok() && reader_.empty(); }

 private:
  ByteReader reader_;
  bool damaged_ = false;
};

void WriteType(const row::Type& type, Writer* out) {
  out->Byte(static_cast<uint8_t>(type.kind));
  out->Byte(static_cast<uint8_t>((type.is_unsigned ? 1 : 0) | (type.zerofill ? 2 : 0) |
                                 (type.nullable ? 4 : 0)));
  out->Byte(type.scale);
  out->Number(type.collation);
  out->Number(type.length);
  out->Number(type.members ? type.members->size() : 0);
  if (type.members) {
    for (const std::string& member : *type.members) {
      out->Text(member);
    }
  }
}

row::CollationId ReadCollation(Reader* in) {
  const uint64_t collation = in->Number();
  if (collation > 0xFFFF ||
      row::FindCollation(static_cast<row::CollationId>(collation)) == nullptr) {
    in->Damage();
    return row::kBinaryCollation;
  }
  return static_cast<row::CollationId>(collation);
}

row::Type ReadType(Reader* in) {
  row::Type type;
  type.kind = in->Enum(row::TypeKind::kJson);
  uint8_t flags = in->Byte();
  if (flags > 7) {
    in->Damage();
  }
  type.is_unsigned = (flags & 1) != 0;
  type.zerofill = (flags & 2) != 0;
  type.nullable = (flags & 4) != 0;
  type.scale = in->Byte();
  type.collation = ReadCollation(in);
  type.length = in->Number32();
  size_t count = in->Count();
  if (type.is_enum_or_set()) {
    auto members = std::make_shared<std::vector<std::string>>();
    for (size_t i = 0; i < count; ++i) {
      members->push_back(in->Text());
    }
    type.members = std::move(members);
  } else if (count != 0) {
    in->Damage();
  }
  return type;
}

// The values stored here were made by our own conversions to the type, so encoding cannot fail
// except for a bug; NULL then stands for the value and the flag says so.
void WriteValue(const row::Type& type, const row::Value& value, Writer* out) {
  std::string bytes;
  bool present = !value.is_null() && row::EncodeColumn(type, value, &bytes).ok();
  DCHECK(present == !value.is_null());
  out->Flag(present);
  if (present) {
    out->Text(bytes);
  }
}

row::Value ReadValue(const row::Type& type, Reader* in) {
  if (!in->Flag()) {
    return row::Value::Null();
  }
  std::string_view bytes = in->View();
  if (!in->ok()) {
    return row::Value::Null();
  }
  Result<row::Value> value = row::DecodeColumn(type, bytes);
  if (!value.ok()) {
    in->Damage();
    return row::Value::Null();
  }
  row::Value owned = std::move(value).value();
  owned.Own();
  return owned;
}

void WriteColumn(const ColumnDescriptor& column, Writer* out) {
  out->Text(column.name);
  WriteType(column.type, out);
  out->Byte(static_cast<uint8_t>(column.default_value.kind));
  WriteValue(column.type, column.default_value.value, out);
  out->Text(column.default_value.text);
  out->Byte(static_cast<uint8_t>((column.auto_increment ? 1 : 0) | (column.on_update_now ? 2 : 0) |
                                 (column.invisible ? 4 : 0) | (column.hidden ? 8 : 0) |
                                 (column.collation_written ? 16 : 0)));
  out->Byte(static_cast<uint8_t>(column.generated));
  out->Text(column.generated_text);
  out->Text(column.comment);
  WriteValue(column.type, column.initial_value, out);
}

ColumnDescriptor ReadColumn(Reader* in) {
  ColumnDescriptor column;
  column.name = in->Text();
  column.type = ReadType(in);
  column.default_value.kind = in->Enum(DefaultKind::kExpression);
  column.default_value.value = ReadValue(column.type, in);
  column.default_value.text = in->Text();
  uint8_t flags = in->Byte();
  if (flags > 31) {
    in->Damage();
  }
  column.auto_increment = (flags & 1) != 0;
  column.on_update_now = (flags & 2) != 0;
  column.invisible = (flags & 4) != 0;
  column.hidden = (flags & 8) != 0;
  column.collation_written = (flags & 16) != 0;
  column.generated = in->Enum(GeneratedKind::kStored);
  column.generated_text = in->Text();
  column.comment = in->Text();
  column.initial_value = ReadValue(column.type, in);
  return column;
}

void WriteIndex(const IndexDescriptor& index, Writer* out) {
  out->Text(index.name);
  out->Byte(static_cast<uint8_t>(index.kind));
  out->Byte(static_cast<uint8_t>((index.visible ? 1 : 0) | (index.hash_written ? 2 : 0) |
                                 (index.made_for_foreign_key ? 4 : 0)));
  out->Text(index.comment);
  out->Number(index.parts.size());
  for (const IndexPart& part : index.parts) {
    out->Number(part.column);
    out->Number(part.prefix_length);
    out->Flag(part.descending);
  }
}

IndexDescriptor ReadIndex(size_t columns, Reader* in) {
  IndexDescriptor index;
  index.name = in->Text();
  index.kind = in->Enum(IndexKind::kRowId);
  uint8_t flags = in->Byte();
  if (flags > 7) {
    in->Damage();
  }
  index.made_for_foreign_key = (flags & 4) != 0;
  index.visible = (flags & 1) != 0;
  index.hash_written = (flags & 2) != 0;
  index.comment = in->Text();
  size_t count = in->Count();
  for (size_t i = 0; i < count && in->ok(); ++i) {
    IndexPart part;
    part.column = in->Number32();
    part.prefix_length = in->Number32();
    part.descending = in->Flag();
    if (part.column >= columns) {
      in->Damage();
    }
    index.parts.push_back(part);
  }
  return index;
}

void WriteForeignKey(const ForeignKeyDescriptor& key, Writer* out) {
  out->Text(key.name);
  out->Number(key.columns.size());
  for (uint32_t column : key.columns) {
    out->Number(column);
  }
  out->Text(key.schema);
  out->Text(key.table);
  for (const std::string& column : key.parent_columns) {
    out->Text(column);
  }
  out->Byte(static_cast<uint8_t>(key.on_delete));
  out->Byte(static_cast<uint8_t>(key.on_update));
}

ForeignKeyDescriptor ReadForeignKey(size_t columns, Reader* in) {
  ForeignKeyDescriptor key;
  key.name = in->Text();
  size_t count = in->Count();
  for (size_t i = 0; i < count; ++i) {
    key.columns.push_back(in->Number32());
    if (key.columns.back() >= columns) {
      in->Damage();
    }
  }
  key.schema = in->Text();
  key.table = in->Text();
  for (size_t i = 0; i < count; ++i) {
    key.parent_columns.push_back(in->Text());
  }
  key.on_delete = in->Enum(ForeignKeyAction::kSetDefault);
  key.on_update = in->Enum(ForeignKeyAction::kSetDefault);
  return key;
}

void WriteStoredForm(const StoredForm& stored, Writer* out) {
  out->Number(stored.row_versions);
  out->Number(stored.places.size());
  for (uint32_t place : stored.places) {
    out->Number(place);
  }
  out->Number(stored.dropped.size());
  for (const StoredForm::Dropped& dropped : stored.dropped) {
    out->Number(dropped.place);
    WriteType(dropped.type, out);
  }
}

StoredForm ReadStoredForm(size_t columns, Reader* in) {
  StoredForm stored;
  stored.row_versions = in->Number32();
  size_t places = in->Count();
  for (size_t i = 0; i < places; ++i) {
    stored.places.push_back(in->Number32());
  }
  size_t count = in->Count();
  for (size_t i = 0; i < count && in->ok(); ++i) {
    const uint32_t place = in->Number32();
    stored.dropped.push_back({place, ReadType(in)});
  }
  // Each place once, or none is said at all.
  std::vector<bool> taken(places == 0 ? 0 : columns + stored.dropped.size());
  const auto take = [&](uint32_t place) {
    if (place >= taken.size() || taken[place]) {
      in->Damage();
    } else {
      taken[place] = true;
    }
  };
  for (uint32_t place : stored.places) {
    take(place);
  }
  for (const StoredForm::Dropped& dropped : stored.dropped) {
    take(dropped.place);
  }
  if (places != 0 && places != columns) {
    in->Damage();
  }
  return stored;
}

void WriteView(const ViewDescriptor& view, Writer* out) {
  out->Text(view.text);
  out->Flag(view.names_columns);
  out->Byte(static_cast<uint8_t>(view.algorithm));
  out->Byte(static_cast<uint8_t>(view.check));
  out->Text(view.definer_user);
  out->Text(view.definer_host);
  out->Flag(view.security_invoker);
  out->Flag(view.updatable);
  out->Number(view.client_collation);
  out->Number(view.connection_collation);
  out->Number(view.sql_mode);
  out->Number(view.tables.size());
  for (const ReferencingTable& table : view.tables) {
    out->Text(table.schema);
    out->Text(table.name);
  }
}

ViewDescriptor ReadView(Reader* in) {
  ViewDescriptor view;
  view.text = in->Text();
  view.names_columns = in->Flag();
  view.algorithm = in->Enum(ViewAlgorithm::kTemptable);
  view.check = in->Enum(ViewCheck::kCascaded);
  view.definer_user = in->Text();
  view.definer_host = in->Text();
  view.security_invoker = in->Flag();
  view.updatable = in->Flag();
  view.client_collation = ReadCollation(in);
  view.connection_collation = ReadCollation(in);
  view.sql_mode = in->Number();
  const size_t tables = in->Count();
  for (size_t i = 0; i < tables && in->ok(); ++i) {
    std::string schema = in->Text();
    view.tables.push_back({std::move(schema), in->Text()});
  }
  return view;
}

void WriteTrigger(const TriggerDescriptor& trigger, Writer* out) {
  out->Text(trigger.name);
  out->Byte(static_cast<uint8_t>(trigger.timing));
  out->Byte(static_cast<uint8_t>(trigger.event));
  out->Text(trigger.body);
  out->Text(trigger.definer_user);
  out->Text(trigger.definer_host);
  out->Number(trigger.sql_mode);
  out->Number(trigger.client_collation);
  out->Number(trigger.connection_collation);
  out->Number(trigger.database_collation);
  out->Number(static_cast<uint64_t>(trigger.created_us));
}

TriggerDescriptor ReadTrigger(Reader* in) {
  TriggerDescriptor trigger;
  trigger.name = in->Text();
  trigger.timing = in->Enum(TriggerTiming::kAfter);
  trigger.event = in->Enum(TriggerEvent::kDelete);
  trigger.body = in->Text();
  trigger.definer_user = in->Text();
  trigger.definer_host = in->Text();
  trigger.sql_mode = in->Number();
  trigger.client_collation = ReadCollation(in);
  trigger.connection_collation = ReadCollation(in);
  trigger.database_collation = ReadCollation(in);
  trigger.created_us = static_cast<int64_t>(in->Number());
  return trigger;
}

// Formats before 4 had room for views, and none was ever stored.
void SkipOldView(Reader* in) {
  for (int i = 0; i < 3; ++i) {
    if (!in->Text().empty()) {
      in->Damage();
    }
  }
  in->Flag();
  in->Byte();
}

}  // namespace

std::string EncodeTableDescriptor(const TableDescriptor& table) {
  Writer out;
  out.Byte(kTableFormat);
  out.Byte(static_cast<uint8_t>(table.kind));
  out.Number(table.columns.size());
  for (const ColumnDescriptor& column : table.columns) {
    WriteColumn(column, &out);
  }
  out.Number(table.indexes.size());
  for (const IndexDescriptor& index : table.indexes) {
    WriteIndex(index, &out);
  }
  out.Number(table.checks.size());
  for (const CheckDescriptor& check : table.checks) {
    out.Text(check.name);
    out.Text(check.text);
    out.Flag(check.enforced);
  }
  out.Number(table.foreign_keys.size());
  for (const ForeignKeyDescriptor& key : table.foreign_keys) {
    WriteForeignKey(key, &out);
  }
  out.Number(table.referencing.size());
  for (const ReferencingTable& child : table.referencing) {
    out.Text(child.schema);
    out.Text(child.name);
  }
  out.Number(table.collation);
  out.Text(table.comment);
  out.Number(table.auto_increment_start);
  out.Text(table.row_format);
  out.Number(table.options.size());
  for (const auto& [name, text] : table.options) {
    out.Text(name);
    out.Text(text);
  }
  out.Number(static_cast<uint64_t>(table.created_us));
  DCHECK(table.view.has_value() == (table.kind == TableKind::kView));
  if (table.view.has_value()) {
    WriteView(*table.view, &out);
  }
  WriteStoredForm(table.stored, &out);
  out.Number(table.triggers.size());
  for (const TriggerDescriptor& trigger : table.triggers) {
    WriteTrigger(trigger, &out);
  }
  return out.Take();
}

Result<TableDescriptor> DecodeTableDescriptor(std::string_view bytes) {
  Reader in(bytes);
  const uint8_t format = in.Byte();
  if (format < kTableFormatOldest || format > kTableFormat) {
    return Status::Corruption("table definition of an unknown format");
  }
  TableDescriptor table;
  table.kind = in.Enum(TableKind::kSystem);
  size_t columns = in.Count();
  for (size_t i = 0; i < columns && in.ok(); ++i) {
    table.columns.push_back(ReadColumn(&in));
  }
  size_t indexes = in.Count();
  for (size_t i = 0; i < indexes && in.ok(); ++i) {
    table.indexes.push_back(ReadIndex(columns, &in));
  }
  size_t checks = in.Count();
  for (size_t i = 0; i < checks && in.ok(); ++i) {
    CheckDescriptor check;
    check.name = in.Text();
    check.text = in.Text();
    check.enforced = in.Flag();
    table.checks.push_back(std::move(check));
  }
  size_t keys = in.Count();
  for (size_t i = 0; i < keys && in.ok(); ++i) {
    table.foreign_keys.push_back(ReadForeignKey(columns, &in));
  }
  const size_t children = format >= 2 ? in.Count() : 0;
  for (size_t i = 0; i < children && in.ok(); ++i) {
    std::string schema = in.Text();
    table.referencing.push_back({std::move(schema), in.Text()});
  }
  table.collation = static_cast<row::CollationId>(in.Number());
  table.comment = in.Text();
  table.auto_increment_start = in.Number();
  table.row_format = in.Text();
  size_t options = in.Count();
  for (size_t i = 0; i < options && in.ok(); ++i) {
    std::string name = in.Text();
    table.options.emplace_back(std::move(name), in.Text());
  }
  table.created_us = static_cast<int64_t>(in.Number());
  if (format < 4) {
    SkipOldView(&in);
  } else if (table.kind == TableKind::kView) {
    table.view = ReadView(&in);
  }
  if (format >= 3) {
    table.stored = ReadStoredForm(columns, &in);
  }
  const size_t triggers = format >= 5 ? in.Count() : 0;
  for (size_t i = 0; i < triggers && in.ok(); ++i) {
    table.triggers.push_back(ReadTrigger(&in));
  }
  if (!in.complete() || row::FindCollation(table.collation) == nullptr) {
    return Status::Corruption("table definition is damaged");
  }
  return table;
}

std::string EncodeSchemaDescriptor(const SchemaDescriptor& schema) {
  Writer out;
  out.Byte(kSchemaFormat);
  out.Number(schema.collation);
  out.Flag(schema.read_only);
  return out.Take();
}

Result<SchemaDescriptor> DecodeSchemaDescriptor(std::string_view bytes) {
  Reader in(bytes);
  if (in.Byte() != kSchemaFormat) {
    return Status::Corruption("schema definition of an unknown format");
  }
  SchemaDescriptor schema;
  schema.collation = static_cast<row::CollationId>(in.Number());
  schema.read_only = in.Flag();
  if (!in.complete() || row::FindCollation(schema.collation) == nullptr) {
    return Status::Corruption("schema definition is damaged");
  }
  return schema;
}

}  // namespace borealis::sql
