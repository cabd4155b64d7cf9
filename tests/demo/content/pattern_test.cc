#include "tests/demo/content/pattern.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace baton::demo {
namespace {

TEST(Pattern, HoldsWhatWasWritten) {
  for (size_t size : {0, 1, 7, 8, 9, 64, 255, 1152}) {
    std::vector<std::byte> data(size + 1, std::byte{0x5a});
    WritePattern(42, data.data(), size);
    EXPECT_TRUE(HoldsPattern(42, data.data(), size));
    EXPECT_EQ(data[size], std::byte{0x5a}) << "wrote past the end";
    for (size_t i = 0; i < size; ++i) {
      ASSERT_EQ(static_cast<uint8_t>(data[i]), PatternByte(42, i)) << i;
    }
  }
}

TEST(Pattern, NoticesEveryFlippedBit) {
  std::vector<std::byte> data(75);
  WritePattern(7, data.data(), data.size());
  for (size_t bit = 0; bit < 8 * data.size(); ++bit) {
    data[bit / 8] ^= std::byte(1 << (bit % 8));
    EXPECT_FALSE(HoldsPattern(7, data.data(), data.size())) << bit;
    data[bit / 8] ^= std::byte(1 << (bit % 8));
  }
}

TEST(Pattern, DoesNotRepeatItself) {
  std::set<uint64_t> words;
  for (uint64_t key = 0; key < 64; ++key) {
    std::vector<uint64_t> data(144);
    WritePattern(Mix(key, 1), reinterpret_cast<std::byte*>(data.data()), 8 * data.size());
    words.insert(data.begin(), data.end());
  }
  EXPECT_EQ(words.size(), 64u * 144u);
}

TEST(Mix, DependsOnTheOrder) {
  EXPECT_NE(Mix(1, 2), Mix(2, 1));
  EXPECT_NE(Mix(0, 0), 0u);
}

}  // namespace
}  // namespace baton::demo
