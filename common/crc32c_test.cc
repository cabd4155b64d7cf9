#include "common/crc32c.h"

#include <vector>

#include "gtest/gtest.h"

namespace baton {
namespace {

TEST(Crc32c, AgreesWithThePublishedCheckValue) {
  EXPECT_EQ(ExtendCrc32c(0, "123456789", 9), 0xe3069283u);
  EXPECT_EQ(ExtendCrc32cPortable(0, "123456789", 9), 0xe3069283u);
}

TEST(Crc32c, IsTheSameWithAndWithoutTheInstructionAtEveryLengthAndAlignment) {
  std::vector<uint8_t> bytes(300);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 37 + 11);
  for (size_t begin = 0; begin < 9; ++begin) {
    for (size_t size = 0; size + begin <= bytes.size(); ++size) {
      ASSERT_EQ(ExtendCrc32c(7, bytes.data() + begin, size),
                ExtendCrc32cPortable(7, bytes.data() + begin, size));
    }
  }
}

TEST(Crc32c, ExtendsWhatCameBefore) {
  EXPECT_EQ(ExtendCrc32c(ExtendCrc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
}

}  // namespace
}  // namespace baton
