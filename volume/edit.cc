#include "volume/edit.h"

#include <fmt/format.h>

#include "base/coding.h"
#include "base/invariant.h"

namespace borealis {

namespace {

// One decoded edit. For kMove `from` is the source; `bytes` views into the edits.
struct Edit {
  EditOp op = EditOp::kWrite;
  size_t offset = 0;
  size_t from = 0;
  size_t length = 0;
  uint8_t fill = 0;
  std::string_view bytes;
};

bool InBody(size_t offset, size_t length) {
  return offset >= kPageHeaderSize && offset + length <= kPageSize;
}

// Reads the next edit; false when the bytes are not a well-formed edit inside the page body.
bool ReadEdit(ByteReader* reader, Edit* edit) {
  edit->op = static_cast<EditOp>(reader->Little<uint8_t>());
  switch (edit->op) {
    case EditOp::kWrite:
      edit->offset = reader->Little<uint16_t>();
      edit->length = reader->Little<uint16_t>();
      edit->bytes = reader->Bytes(edit->length);
      return reader->ok() && InBody(edit->offset, edit->length);
    case EditOp::kMove:
      edit->offset = reader->Little<uint16_t>();
      edit->from = reader->Little<uint16_t>();
      edit->length = reader->Little<uint16_t>();
      return reader->ok() && InBody(edit->offset, edit->length) && InBody(edit->from, edit->length);
    case EditOp::kFill:
      edit->offset = reader->Little<uint16_t>();
      edit->length = reader->Little<uint16_t>();
      edit->fill = reader->Little<uint8_t>();
      return reader->ok() && InBody(edit->offset, edit->length);
    case EditOp::kImage:
      edit->offset = kPageHeaderSize;
      edit->length = reader->Little<uint16_t>();
      edit->bytes = reader->Bytes(edit->length);
      return reader->ok() && InBody(edit->offset, edit->length);
  }
  return false;
}

void AppendHeader(std::string* edits, EditOp op) {
  edits->push_back(static_cast<char>(op));
}

void AppendU16(std::string* edits, size_t value) {
  AppendLittle(edits, static_cast<uint16_t>(value));
}

}  // namespace

void AppendWriteEdit(std::string* edits, size_t offset, std::string_view bytes) {
  INVARIANT(InBody(offset, bytes.size()));
  AppendHeader(edits, EditOp::kWrite);
  AppendU16(edits, offset);
  AppendU16(edits, bytes.size());
  edits->append(bytes);
}

void AppendMoveEdit(std::string* edits, size_t to, size_t from, size_t length) {
  INVARIANT(InBody(to, length) && InBody(from, length));
  AppendHeader(edits, EditOp::kMove);
  AppendU16(edits, to);
  AppendU16(edits, from);
  AppendU16(edits, length);
}

void AppendFillEdit(std::string* edits, size_t offset, size_t length, uint8_t byte) {
  INVARIANT(InBody(offset, length));
  AppendHeader(edits, EditOp::kFill);
  AppendU16(edits, offset);
  AppendU16(edits, length);
  edits->push_back(static_cast<char>(byte));
}

void AppendImageEdit(std::string* edits, std::string_view body) {
  INVARIANT_LE(body.size(), kPageSize - kPageHeaderSize);
  while (!body.empty() && body.back() == '\0') {
    body.remove_suffix(1);
  }
  AppendHeader(edits, EditOp::kImage);
  AppendU16(edits, body.size());
  edits->append(body);
}

Status ApplyEdits(std::string_view edits, Page* page) {
  ByteReader reader(edits);
  Edit edit;
  while (!reader.empty()) {
    if (!ReadEdit(&reader, &edit)) {
      return Status::Corruption(fmt::format("edit at byte {} of {} is malformed",
                                            edits.size() - reader.rest().size(), edits.size()));
    }
    char* const at = page->bytes + edit.offset;
    switch (edit.op) {
      case EditOp::kWrite:
        std::memcpy(at, edit.bytes.data(), edit.length);
        break;
      case EditOp::kMove:
        std::memmove(at, page->bytes + edit.from, edit.length);
        break;
      case EditOp::kFill:
        std::memset(at, edit.fill, edit.length);
        break;
      case EditOp::kImage:
        std::memcpy(at, edit.bytes.data(), edit.length);
        std::memset(at + edit.length, 0, kPageSize - kPageHeaderSize - edit.length);
        break;
    }
  }
  return Status::Ok();
}

std::string DescribeEdits(std::string_view edits) {
  std::string text;
  ByteReader reader(edits);
  Edit edit;
  while (!reader.empty()) {
    text += text.empty() ? "" : ", ";
    if (!ReadEdit(&reader, &edit)) {
      return text + "malformed";
    }
    switch (edit.op) {
      case EditOp::kWrite:
        text += fmt::format("write {}+{}", edit.offset, edit.length);
        break;
      case EditOp::kMove:
        text += fmt::format("move {}<-{}+{}", edit.offset, edit.from, edit.length);
        break;
      case EditOp::kFill:
        text += fmt::format("fill {}+{}={}", edit.offset, edit.length, edit.fill);
        break;
      case EditOp::kImage:
        text += fmt::format("image {}", edit.length);
        break;
    }
  }
  return text;
}

bool StartsWithImage(std::string_view edits) {
  return !edits.empty() && static_cast<EditOp>(edits.front()) == EditOp::kImage;
}

}  // namespace borealis
