// The client protocol: packets in any cut, logins, commands, bound parameters.
#include "protocol/mysql/command.h"
#include "protocol/mysql/handshake.h"
#include "protocol/mysql/packet.h"
#include "protocol/mysql/parameter.h"
#include "tests/fuzz/fuzz.h"

namespace borealis::fuzz {

namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr uint32_t kMaxPacket = 1 << 20;
// The first byte of an input says what it is, the second varies the rest.
enum Kind : uint8_t { kLogin, kChangeUser, kCommand, kExecute, kStream, kKinds };

std::string Input(Kind kind, uint8_t variant, std::string_view rest) {
  std::string input = {static_cast<char>(kind), static_cast<char>(variant)};
  return input.append(rest);
}

struct Packet {
  uint8_t sequence = 0;
  std::string payload;
  friend bool operator==(const Packet&, const Packet&) = default;
};

// All packets of a stream that arrives in pieces of `piece` bytes, and whether it ended in an
// error.
std::vector<Packet> ReadAll(std::string_view stream, size_t piece, bool* failed) {
  mysql::PacketReader reader(kMaxPacket);
  std::vector<Packet> packets;
  uint8_t sequence = 0;
  *failed = false;
  for (;;) {
    std::string_view payload;
    const Result<bool> found = reader.Next(&sequence, &payload);
    if (!found.ok()) {
      *failed = true;
      return packets;
    }
    if (*found) {
      packets.push_back({sequence, std::string(payload)});
      continue;
    }
    if (stream.empty()) {
      return packets;
    }
    FUZZ_CHECK(reader.wanted() >= 1, "nothing wanted");
    const size_t size = std::min(piece, stream.size());
    const std::span<char> space = reader.Space(size);
    FUZZ_CHECK(space.size() >= size, "too little room");
    std::copy_n(stream.begin(), size, space.begin());
    reader.Added(size);
    stream.remove_prefix(size);
  }
}

class ProtocolTarget final : public Target {
 public:
  std::vector<std::string> Seeds() override {
    std::vector<std::string> seeds;
    const std::string login =
        "\x8d\xa6\xff\x81\x00\x00\x00\x01\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0root\0"
        "\x14"
        "aaaaaaaaaaaaaaaaaaaashop\0mysql_native_password\0\x16\x04_pid\x03"
        "123\x07_client\x05mysql\x03"s;
    seeds.push_back(Input(kLogin, 0, login));
    seeds.push_back(Input(kLogin, 255, login));
    seeds.push_back(Input(kChangeUser, 255,
                          "root\0\x04"
                          "abcdshop\0\xff\0caching_sha2_password\0\x06\x01"
                          "a\x03xyz"s));
    for (uint8_t code = 0; code < 34; ++code) {
      seeds.push_back(Input(kCommand, 0, {}));
      seeds.back().push_back(static_cast<char>(code));
      seeds.back().append("\x01\0\0\0select 1\0x"sv);
      seeds.push_back(Input(kCommand, 255, {}));
      seeds.back().push_back(static_cast<char>(code));
      seeds.back().append("\x01\x01\0\1\x0f\0\1aselect ?"sv);
    }
    // Three parameters: the null bitmap, the bound flag, types, values.
    seeds.push_back(Input(kExecute, 3,
                          "\0\1\x08\0\xfd\0\x05\0\x2a\0\0\0\0\0\0\0\x03"
                          "abc\0\0\0\0\0\0\xf0?"s));
    seeds.push_back(Input(kExecute, 3,
                          "\x01\1\x06\0\x0c\0\x0b\0\x0b\xe8\x07\x02\x1d\x17\x3b\x3b\x3f"
                          "\x42\x0f\0\x0c\1\x02\0\0\0\x01\x02\x03\x04\0\0\0"s));
    seeds.push_back(Input(kExecute, 1,
                          "\0\1\xf6\0\x04"
                          "1.25"s));
    seeds.push_back(Input(kExecute, 0, ""));
    seeds.push_back(Input(kStream, 0,
                          "\x05\0\0\0\x03"
                          "do 0\x01\0\0\1\x0e\0\0\0\2"s));
    return seeds;
  }

  void Run(std::string_view input) override {
    if (input.size() < 2) {
      return;
    }
    const auto variant = static_cast<uint8_t>(input[1]);
    const std::string_view rest = input.substr(2);
    const uint32_t capabilities = variant == 255 ? ~uint32_t{0} : ~(uint32_t{1} << variant % 32);
    switch (static_cast<uint8_t>(input[0]) % kKinds) {
      case kLogin:
        (void)mysql::IsSslRequest(rest);
        (void)mysql::ParseHandshakeResponse(rest, capabilities);
        return;
      case kChangeUser:
        (void)mysql::ParseChangeUser(rest, capabilities);
        return;
      case kCommand:
        RunCommand(rest, capabilities);
        return;
      case kExecute:
        RunExecute(rest, variant, capabilities);
        return;
      default:
        RunStream(rest);
    }
  }

 private:
  static void RunCommand(std::string_view payload, uint32_t capabilities) {
    const Result<mysql::Command> command = mysql::ParseCommand(payload, capabilities);
    if (!command.ok()) {
      FUZZ_CHECK(command.status().user_errno() != 0, "refused without a user's error");
      return;
    }
    (void)mysql::CommandName(command->code);
    if (const auto* execute = std::get_if<mysql::StmtExecuteCommand>(&command->body)) {
      RunExecute(execute->parameters, execute->flags, capabilities);
    }
  }

  static void RunExecute(std::string_view bytes, uint8_t variant, uint32_t capabilities) {
    mysql::ExecuteParameters parameters(variant % 20);
    if (variant % 3 == 0) {
      parameters.AddLongData(variant % 5, "long data", 1000).IgnoreError();
    }
    for (int round = 0; round < 2; ++round) {  // types may stay bound
      std::vector<mysql::Parameter> values;
      std::vector<mysql::NamedParameter> attributes;
      const Status status =
          parameters.Decode(bytes, variant >= 128 ? 8 : 0, capabilities, &values, &attributes);
      FUZZ_CHECK(!status.ok() || values.size() == parameters.count(), "number of values");
      FUZZ_CHECK(status.ok() || status.user_errno() != 0, "refused without a user's error");
    }
  }

  static void RunStream(std::string_view stream) {
    bool failed = false;
    const std::vector<Packet> whole = ReadAll(stream, stream.size() + 1, &failed);
    for (const size_t piece : {size_t{1}, size_t{7}, size_t{1000}}) {
      bool failed_in_pieces = false;
      const std::vector<Packet> packets = ReadAll(stream, piece, &failed_in_pieces);
      FUZZ_CHECK(packets == whole && failed == failed_in_pieces, "packets depend on the cut");
    }
  }
};

}  // namespace

Target& TheTarget() {
  static ProtocolTarget target;
  return target;
}

}  // namespace borealis::fuzz
