// Blocks on disk: compressed where it pays, verified before anything is made of them.
#include "storage_node/block_codec.h"

#include <gtest/gtest.h>

#include "base/coding.h"
#include "base/crc32c.h"
#include "base/os/random.h"

namespace borealis::storage_node {
namespace {

std::string Block(const std::string& content) {
  return std::string(kBlockHeaderSize, '\0') + content;
}
std::string Noise(size_t size) {
  Random random(1);
  std::string bytes;
  while (bytes.size() < size) {
    AppendLittle(&bytes, random.Next());
  }
  return bytes;
}
// With a checksum that is right.
std::string Stamped(std::string stored) {
  StoreLittle(stored.data(), Crc32c(std::string_view(stored).substr(4)));
  return stored;
}

TEST(BlockCodecTest, CompressesWhereItPays) {
  BlockEncoder encoder;
  for (const std::string& content : {std::string(), std::string(40'000, 'x'), Noise(40'000),
                                     Noise(10) + std::string(200, 'y')}) {
    std::string block = Block(content);
    const std::string stored(encoder.Encode(&block, 7));
    EXPECT_LE(stored.size(), kBlockHeaderSize + content.size());
    const std::string longer = stored + "what follows";
    const auto verified = VerifyBlock(longer);
    ASSERT_TRUE(verified.ok());
    EXPECT_EQ(*verified, stored);
    const auto plain = DecodeBlock(*verified);
    ASSERT_TRUE(plain.ok());
    EXPECT_EQ(plain->substr(kBlockHeaderSize), content);
  }
  std::string block = Block(std::string(40'000, 'x'));
  EXPECT_LT(encoder.Encode(&block, 1).size(), 500U);
}

TEST(BlockCodecTest, BlocksThatDoNotAddUpAreDamage) {
  BlockEncoder encoder;
  std::string block = Block(std::string(1'000, 'x') + Noise(100));
  const std::string good(encoder.Encode(&block, 7));
  ASSERT_TRUE(DecodeBlock(good).ok());
  std::string bad = good;
  bad[40] ^= 1;
  EXPECT_EQ(VerifyBlock(bad).status().code(), Code::kCorruption);
  // With a right checksum, as a program with a bug would write it.
  bad = good;
  bad[16] = 2;
  EXPECT_EQ(DecodeBlock(*VerifyBlock(Stamped(bad))).status().code(), Code::kCorruption);
  for (const uint32_t size : {uint32_t{0}, uint32_t{1'099}, uint32_t{1'101}, uint32_t{1} << 31}) {
    bad = good;
    StoreLittle(bad.data() + 20, size);
    EXPECT_EQ(DecodeBlock(*VerifyBlock(Stamped(bad))).status().code(), Code::kCorruption) << size;
  }
  bad = good;
  bad[kBlockHeaderSize] ^= 1;
  EXPECT_EQ(DecodeBlock(*VerifyBlock(Stamped(bad))).status().code(), Code::kCorruption);
}

}  // namespace
}  // namespace borealis::storage_node
