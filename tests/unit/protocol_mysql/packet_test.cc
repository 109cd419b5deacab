// Framing: splitting, joining, limits, sequence numbers.
#include "protocol/mysql/packet.h"

#include "base/mysql_error.h"
#include "base/os/random.h"
#include "tests/unit/protocol_mysql/bytes.h"

namespace borealis::mysql {
namespace {

void Feed(PacketReader* reader, std::string_view bytes) {
  std::span<char> space = reader->Space(bytes.size());
  ASSERT_GE(space.size(), bytes.size());
  std::memcpy(space.data(), bytes.data(), bytes.size());
  reader->Added(bytes.size());
}

std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>(i * 31 + i / 251);
  }
  return bytes;
}

TEST(PacketWriterTest, PatchesLengthAndSequence) {
  std::string out;
  uint8_t sequence = 3;
  PacketWriter writer(&out, &sequence);
  writer.Write("abc");
  writer.Begin();
  writer.body()->append("taken back");
  writer.Abandon();
  writer.Write("");
  EXPECT_EQ(ToHex(out), ToHex(FromHex("030000 03 'abc' 000000 04")));
  EXPECT_EQ(sequence, 5);
}

TEST(PacketWriterTest, SequenceWrapsAt256) {
  std::string out;
  uint8_t sequence = 255;
  PacketWriter writer(&out, &sequence);
  writer.Write("x");
  EXPECT_EQ(sequence, 0);
}

class PacketSizeTest : public testing::TestWithParam<size_t> {};

TEST_P(PacketSizeTest, RoundTripsThroughFrames) {
  const std::string payload = Pattern(GetParam());
  std::string wire;
  uint8_t written = 0;
  PacketWriter writer(&wire, &written);
  writer.Write("before");
  writer.Write(payload);
  writer.Write("after");
  EXPECT_EQ(written, 3 + GetParam() / kMaxFramePayload);
  EXPECT_EQ(wire.size(), 11 + payload.size() + 3 * 4 + 4 * (GetParam() / kMaxFramePayload));

  PacketReader reader(uint32_t{1} << 30);
  uint8_t read = 0;
  std::vector<std::string> got;
  // Pieces of a size that cuts headers at every place over the run.
  for (size_t at = 0; at < wire.size();) {
    const size_t size = std::min<size_t>(wire.size() - at, 1000003);
    Feed(&reader, std::string_view(wire).substr(at, size));
    at += size;
    for (;;) {
      std::string_view view;
      Result<bool> next = reader.Next(&read, &view);
      ASSERT_TRUE(next.ok()) << next.status().ToString();
      if (!*next) {
        break;
      }
      got.emplace_back(view);
    }
  }
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[0], "before");
  EXPECT_TRUE(got[1] == payload);
  EXPECT_EQ(got[2], "after");
  EXPECT_TRUE(reader.empty());
  EXPECT_EQ(read, written);
}

INSTANTIATE_TEST_SUITE_P(AroundTheFrameSize, PacketSizeTest,
                         testing::Values(0, 1, 250, 65536, kMaxFramePayload - 1, kMaxFramePayload,
                                         kMaxFramePayload + 1, 2 * kMaxFramePayload,
                                         2 * kMaxFramePayload + 77));

TEST(PacketReaderTest, OneByteAtATime) {
  const std::string wire = FromHex("03000000 'abc' 01000001 'z'");
  PacketReader reader(1024);
  uint8_t sequence = 0;
  std::vector<std::string> got;
  for (char byte : wire) {
    Feed(&reader, {&byte, 1});
    std::string_view view;
    Result<bool> next = reader.Next(&sequence, &view);
    ASSERT_TRUE(next.ok());
    if (*next) {
      got.emplace_back(view);
    }
  }
  EXPECT_EQ(got, (std::vector<std::string>{"abc", "z"}));
}

TEST(PacketReaderTest, WantedNeverReachesPastThePacket) {
  const std::string wire = FromHex("03000000 'abc' 16030100");
  PacketReader reader(1024);
  uint8_t sequence = 0;
  std::string_view view;
  size_t at = 0;
  for (;;) {
    const size_t wanted = reader.wanted();
    ASSERT_GE(wanted, 1U);
    Feed(&reader, std::string_view(wire).substr(at, wanted));
    at += wanted;
    Result<bool> next = reader.Next(&sequence, &view);
    ASSERT_TRUE(next.ok());
    if (*next) {
      break;
    }
  }
  EXPECT_EQ(view, "abc");
  EXPECT_EQ(at, 7U);
  EXPECT_TRUE(reader.empty());
  reader.Release();
}

TEST(PacketReaderTest, HeaderOverTheLimitIsRefusedBeforeItsBytesCome) {
  PacketReader reader(1024);
  uint8_t sequence = 0;
  std::string_view view;
  Feed(&reader, FromHex("01040000"));
  Result<bool> next = reader.Next(&sequence, &view);
  ASSERT_FALSE(next.ok());
  EXPECT_EQ(next.status().user_errno(), ER_NET_PACKET_TOO_LARGE);
}

TEST(PacketReaderTest, LimitCountsAllFramesOfAPacket) {
  std::string wire;
  uint8_t written = 0;
  PacketWriter writer(&wire, &written);
  writer.Write(Pattern(kMaxFramePayload + 100));
  PacketReader reader(kMaxFramePayload + 99);
  uint8_t sequence = 0;
  std::string_view view;
  Feed(&reader, wire);
  Result<bool> next = reader.Next(&sequence, &view);
  ASSERT_FALSE(next.ok());
  EXPECT_EQ(next.status().user_errno(), ER_NET_PACKET_TOO_LARGE);
}

TEST(PacketReaderTest, WrongSequenceIsRefused) {
  PacketReader reader(1024);
  uint8_t sequence = 1;
  std::string_view view;
  Feed(&reader, FromHex("01000000 'x'"));
  Result<bool> next = reader.Next(&sequence, &view);
  ASSERT_FALSE(next.ok());
  EXPECT_EQ(next.status().user_errno(), ER_NET_PACKETS_OUT_OF_ORDER);
}

}  // namespace
}  // namespace borealis::mysql
