// Mutated packets: whatever a client sends, parsers answer with a value or an error, and what they
// return is consistent. Run under the address sanitizer this finds reads past the end.
#include "base/os/random.h"
#include "protocol/mysql/auth.h"
#include "protocol/mysql/command.h"
#include "protocol/mysql/packet.h"
#include "protocol/mysql/wire.h"
#include "tests/unit/protocol_mysql/bytes.h"

namespace borealis::mysql {
namespace {

constexpr int kRounds = 30000;

// Flips, cuts, inserts, duplicates: 1 to 4 changes.
std::string Mutate(std::string bytes, Random& random) {
  for (uint64_t i = random.Below(4) + 1; i > 0; --i) {
    const size_t at = bytes.empty() ? 0 : random.Below(bytes.size());
    switch (random.Below(5)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes.insert(at, 1, static_cast<char>(random.Next()));
        break;
      case 2:
        bytes.insert(at, bytes.substr(at, random.Below(16)));
        break;
      case 3: {
        static constexpr unsigned char kTelling[] = {0x00, 0x01, 0x7F, 0x80, 0xFB,
                                                     0xFC, 0xFD, 0xFE, 0xFF};
        if (!bytes.empty()) {
          bytes[at] = static_cast<char>(kTelling[random.Below(sizeof(kTelling))]);
        }
        break;
      }
      default:
        if (!bytes.empty()) {
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.Below(8)));
        }
    }
  }
  return bytes;
}

// A copy of exact size on the heap, so that the sanitizer sees one byte too far.
struct Exact {
  explicit Exact(const std::string& bytes) : copy(bytes.begin(), bytes.end()) {}
  std::string_view view() const { return {copy.data(), copy.size()}; }
  std::vector<char> copy;
};

TEST(FuzzTest, Commands) {
  const std::vector<std::string> seeds = {
      FromHex("03 'select 1'"),
      FromHex("03 02 01 02 01 fd00 05 'trace' 0800 01 'n' 03 'abc' 'select 1'"),
      FromHex("17 01000000 00 01000000 00 01 0800 0700000000000000"),
      FromHex("11 'user' 00 14 'aaaaaaaaaaaaaaaaaaaa' 'db' 00 ff00 'mysql_native_password' 00 "
              "05 01 'a' 02 'bc'"),
      FromHex("15 02000000 04 'host' 04 'repl' 00 eb0c 00000000 00000000"),
      FromHex("1e 0400 2a000000 03000000 'a.1' 0400000000000000 08000000 0000000000000000"),
      FromHex("18 02000000 0300 'blob'"),
      FromHex("04 'users' 00 '%'")};
  Random random(11);
  int accepted = 0;
  for (int i = 0; i < kRounds; ++i) {
    const Exact bytes(Mutate(seeds[random.Below(seeds.size())], random));
    const Result<Command> command =
        ParseCommand(bytes.view(), random.Chance(0.5) ? kServerCapabilities : 0);
    if (command.ok()) {
      ++accepted;
    } else {
      EXPECT_EQ(command.status().code(), Code::kUser);
    }
  }
  EXPECT_GT(accepted, kRounds / 20);
  EXPECT_LT(accepted, kRounds);
}

TEST(FuzzTest, ExecuteParameters) {
  const std::string seed = FromHex(
      "0000 01 0100 0800 0500 0a00 0c00 0b00 fd00 f600 0400"
      "ff fcffffffffffffff 000000000000f8bf 04 e807021d 0b e807021d 0c1e0f 40e20100"
      "0c 01 02000000 030405 01000000 05 'hello' 04 '1.25' 0000c03f");
  Random random(12);
  int accepted = 0;
  for (int i = 0; i < kRounds; ++i) {
    ExecuteParameters statement(9);
    std::vector<Parameter> values;
    std::vector<NamedParameter> attributes;
    const Exact bytes(Mutate(seed, random));
    const Status status =
        statement.Decode(bytes.view(), random.Chance(0.3) ? kParameterCountAvailable : 0,
                         random.Chance(0.5) ? kServerCapabilities : 0, &values, &attributes);
    EXPECT_EQ(values.size(), 9U);
    accepted += status.ok() ? 1 : 0;
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, kRounds);
}

TEST(FuzzTest, Logins) {
  std::string seed;
  AppendLittle(&seed, kServerCapabilities);
  AppendLittle(&seed, uint32_t{16777216});
  seed += '\xff';
  seed.append(23, '\0');
  AppendNulString(&seed, "app");
  AppendLenEncString(&seed, std::string(32, 'r'));
  AppendNulString(&seed, "db");
  AppendNulString(&seed, "caching_sha2_password");
  AppendLenEncString(&seed, FromHex("03 'abc' 03 'def'"));
  Random random(13);
  for (int i = 0; i < kRounds; ++i) {
    const Exact bytes(Mutate(seed, random));
    IsSslRequest(bytes.view());
    const Result<LoginRequest> login = ParseHandshakeResponse(bytes.view(), kServerCapabilities);
    if (login.ok()) {
      EXPECT_EQ(login->capabilities & ~kServerCapabilities, 0U);
    }
  }
}

class NoAccounts : public AccountSource {
 public:
  Result<std::optional<Account>> Find(std::string_view, std::string_view) override {
    Account account;
    account.plugin = kNativePlugin;
    account.credential = NativeStoredCredential("secret");
    return std::optional(account);
  }
};

TEST(FuzzTest, NoGuessLogsIn) {
  NoAccounts accounts;
  Sha2Cache cache;
  Authenticator::Environment environment;
  environment.accounts = &accounts;
  environment.cache = &cache;
  Random random(14);
  const std::string scramble = NewScramble();
  for (int i = 0; i < 3000; ++i) {
    Authenticator auth(environment, {"10.0.0.1", false, "10.0.0.1"});
    LoginRequest request;
    request.capabilities = kServerCapabilities;
    request.user = "u";
    request.auth_plugin = random.Chance(0.5) ? kNativePlugin : kSha2Plugin;
    request.auth_response = Mutate(NativeResponse("secret", scramble), random);
    if (request.auth_response == NativeResponse("secret", scramble)) {
      continue;
    }
    Authenticator::Step step = auth.Start(request, scramble);
    for (int j = 0; j < 3 && step.outcome == Authenticator::Outcome::kContinue; ++j) {
      step = auth.OnPacket(Mutate(std::string(20, 'x'), random));
    }
    EXPECT_EQ(step.outcome, Authenticator::Outcome::kFailed);
  }
}

TEST(FuzzTest, FramesOfAnyBytes) {
  Random random(15);
  for (int i = 0; i < 3000; ++i) {
    std::string wire;
    uint8_t sequence = 0;
    PacketWriter writer(&wire, &sequence);
    for (int j = 0; j < 4; ++j) {
      writer.Write(std::string(random.Below(300), 'p'));
    }
    wire = Mutate(wire, random);
    PacketReader reader(1000);
    uint8_t expected = 0;
    for (size_t at = 0; at < wire.size();) {
      const size_t size = std::min<size_t>(wire.size() - at, random.Below(100) + 1);
      std::span<char> space = reader.Space(size);
      std::memcpy(space.data(), wire.data() + at, size);
      reader.Added(size);
      at += size;
      std::string_view payload;
      Result<bool> next = true;
      while ((next = reader.Next(&expected, &payload)).ok() && *next) {
        EXPECT_LE(payload.size(), 1000U);
      }
      if (!next.ok()) {
        break;
      }
    }
  }
}

}  // namespace
}  // namespace borealis::mysql
