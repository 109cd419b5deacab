// Frames between Borealis processes: decoded the same in any cut, and encoded again to the same
// head.
#include "base/coding.h"
#include "base/crc32c.h"
#include "base/net/frame.h"
#include "tests/fuzz/fuzz.h"

namespace borealis::fuzz {

namespace {

std::string Encoded(uint16_t type, std::string body, std::vector<std::string> attachments) {
  Frame frame;
  frame.type = type;
  frame.request_id = 77;
  frame.body = std::move(body);
  for (std::string& bytes : attachments) {
    frame.attachments.emplace_back(std::move(bytes));
  }
  std::string bytes = EncodeFrameHead(frame);
  for (const SharedBytes& attachment : frame.attachments) {
    bytes.append(attachment.view());
  }
  return bytes;
}

std::vector<std::string> Decoded(std::string_view stream, size_t piece) {
  FrameDecoder decoder;
  std::vector<std::string> frames;
  for (;;) {
    Frame frame;
    const Result<bool> next = decoder.Next(&frame);
    if (!next.ok()) {
      frames.push_back("damaged");
      return frames;
    }
    if (*next) {
      std::vector<std::string> attachments;
      for (const SharedBytes& attachment : frame.attachments) {
        attachments.emplace_back(attachment.view());
      }
      frames.push_back(EncodeFrameHead(frame));
      for (const std::string& attachment : attachments) {
        frames.back().append(attachment);
      }
    } else if (stream.empty()) {
      return frames;
    } else {
      decoder.Feed(stream.substr(0, piece));
      stream.remove_prefix(std::min(piece, stream.size()));
    }
  }
}

class FrameTarget final : public Target {
 public:
  std::vector<std::string> Seeds() override {
    const std::string one = Encoded(3, "body", {"first", "", "third attachment"});
    return {one, one + Encoded(9, "", {}),
            Encoded(1, std::string(3000, 'b'), {std::string(9000, 'a')}),
            Encoded(65535, "x", std::vector<std::string>(255, "a"))};
  }

  // Of every frame that can be found by the lengths of those before.
  void Repair(std::string* input) override {
    for (size_t at = 0; at + kFrameHeaderSize <= input->size();) {
      char* head = input->data() + at;
      const uint64_t lengths = uint64_t{LoadLittle<uint16_t>(head + 6)} * 4;
      const uint64_t covered = lengths + LoadLittle<uint32_t>(head + 16);
      if (covered > input->size() - at - kFrameHeaderSize) {
        return;
      }
      const std::string_view rest = std::string_view(*input).substr(at);
      StoreLittle(head + 24,
                  Crc32c(rest.substr(kFrameHeaderSize, covered), Crc32c(rest.substr(0, 24))));
      at += kFrameHeaderSize + covered + LoadLittle<uint32_t>(head + 20);
    }
  }

  void Run(std::string_view input) override {
    const std::vector<std::string> whole = Decoded(input, input.size() + 1);
    std::string again;
    for (const std::string& frame : whole) {
      again += frame;
    }
    const bool damaged = !whole.empty() && whole.back() == "damaged";
    FUZZ_CHECK(damaged || input.starts_with(again), "a frame is not what was sent");
    for (const size_t piece : {size_t{1}, size_t{29}}) {
      if (input.size() / piece < 20000) {
        FUZZ_CHECK(Decoded(input, piece) == whole, "frames depend on the cut");
      }
    }
  }
};

}  // namespace

Target& TheTarget() {
  static FrameTarget target;
  return target;
}

}  // namespace borealis::fuzz
