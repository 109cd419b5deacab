// Frames of the compressed protocol: what goes in comes out, whatever pieces it travels in.
#include "server/net/compressed_frames.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace borealis::server {
namespace {

std::string AllFrames(std::string_view bytes, FrameCodec codec = FrameCodec::kZlib) {
  CompressedOutput output(codec, 3);
  output.set_number(1);
  std::string frames;
  while (!bytes.empty()) {
    bytes.remove_prefix(output.Pack(bytes));
    frames += output.unsent();
    output.Sent(output.unsent().size());
    EXPECT_TRUE(output.empty());
  }
  return frames;
}

// What an input gives that gets `frames` in pieces of at most `piece` bytes; nothing if it refuses.
std::string Unpacked(std::string_view frames, size_t piece, FrameCodec codec = FrameCodec::kZlib) {
  CompressedInput input(codec);
  std::string plain;
  while (!frames.empty()) {
    const std::span<char> space = input.Space();
    const size_t size = std::min({space.size(), piece, frames.size()});
    frames.copy(space.data(), size);
    frames.remove_prefix(size);
    if (!input.Added(size)) {
      return {};
    }
    while (!input.empty()) {
      char some[1000];
      plain.append(some, input.Take(some));
    }
  }
  return plain;
}

TEST(CompressedFramesTest, GivesBackWhatWentIn) {
  std::mt19937 random(7);
  std::string noise(700'000, '\0');
  for (char& byte : noise) {
    byte = static_cast<char>(random());
  }
  for (const std::string& text :
       {std::string("short"), std::string(50, 'x'), std::string(1'000'000, 'y'), noise}) {
    for (const size_t piece : {size_t{1} << 20, size_t{4096}, size_t{3}}) {
      for (const FrameCodec codec : {FrameCodec::kZlib, FrameCodec::kZstd}) {
        EXPECT_TRUE(Unpacked(AllFrames(text, codec), piece, codec) == text);
      }
    }
  }
}

TEST(CompressedFramesTest, SaysHowLongItIs) {
  EXPECT_EQ(AllFrames("abc"), std::string("\3\0\0\1\0\0\0abc", 10));
  const std::string frame = AllFrames(std::string(1000, 'x'));
  EXPECT_LT(frame.size(), 100U);
  EXPECT_EQ(static_cast<uint8_t>(frame[0]), frame.size() - 7);
  EXPECT_EQ(frame.substr(3, 4), std::string("\1\xE8\3\0", 4));
  const std::string two = AllFrames(std::string(300'000, 'x'));  // in more than one frame
  EXPECT_EQ(two[7 + static_cast<uint8_t>(two[0]) + 256 * static_cast<uint8_t>(two[1]) + 3], 2);
}

TEST(CompressedFramesTest, RefusesWhatIsNoFrame) {
  for (const FrameCodec codec : {FrameCodec::kZlib, FrameCodec::kZstd}) {
    std::string frame = AllFrames(std::string(1000, 'x'), codec);
    frame[4] = 1;  // not the length that comes out
    EXPECT_EQ(Unpacked(frame, 4096, codec), "");
    EXPECT_EQ(Unpacked(std::string("\3\0\0\0\x10\0\0abc", 10), 4096, codec), "");
  }
}

}  // namespace
}  // namespace borealis::server
