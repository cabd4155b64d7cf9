#include "planner/page_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "common/reason.h"

namespace baton::planner {
namespace {

constexpr size_t kMost = 1 << 20;

std::vector<int32_t> RandomPages(size_t count, int32_t pool, uint64_t seed) {
  std::vector<int32_t> pages(pool);
  std::iota(pages.begin(), pages.end(), 0);
  std::mt19937_64 random(seed);
  std::shuffle(pages.begin(), pages.end(), random);
  pages.resize(count);
  return pages;
}

TEST(PageList, KeepsTheOrderOfEveryList) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 2000; ++i) {
    std::vector<int32_t> pages;
    const size_t pieces = random() % 20;
    for (size_t p = 0; p < pieces; ++p) {
      int64_t page = random() % (uint64_t{1} << (1 + random() % 31));
      const size_t length = random() % 3 == 0 ? random() % 40 : 1;
      for (size_t l = 0; l <= length && page <= INT32_MAX; ++l) {
        pages.push_back(static_cast<int32_t>(page++));
      }
    }
    const auto decoded = DecodePages(EncodePages(pages), kMost);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    ASSERT_EQ(*decoded, pages);
  }
}

TEST(PageList, HoldsTheSmallestAndTheLargestPages) {
  for (const std::vector<int32_t>& pages :
       {std::vector<int32_t>{0}, {INT32_MAX}, {INT32_MAX, 0}, {0, 0, 0}, {INT32_MAX, INT32_MAX}}) {
    const auto decoded = DecodePages(EncodePages(pages), kMost);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, pages);
  }
}

TEST(PageList, EightThousandRandomPagesFitIntoTwentyKilobytes) {
  EXPECT_LE(EncodePages(RandomPages(8000, 131072, 1)).size(), 17010u);
}

TEST(PageList, AListInOnePieceTakesAFewBytes) {
  std::vector<int32_t> pages(100000);
  std::iota(pages.begin(), pages.end(), 5000);
  EXPECT_LE(EncodePages(pages).size(), 9u);
}

TEST(PageList, AnEmptyListIsAnEmptyString) {
  EXPECT_EQ(EncodePages({}), "");
  EXPECT_TRUE(DecodePages("", 0)->empty());
}

TEST(PageList, RefusesMorePagesThanAllowedBeforeAllocating) {
  std::vector<int32_t> pages(1000);
  std::iota(pages.begin(), pages.end(), 0);
  const auto runs = DecodePages(EncodePages(pages), 999);
  EXPECT_EQ(ReasonOf(runs.status()), Reason::kTooLarge);
  const auto fixed = DecodePages(EncodePages(RandomPages(1000, 131072, 1)), 999);
  EXPECT_EQ(ReasonOf(fixed.status()), Reason::kTooLarge);
  // A few bytes that claim two to the forty pages.
  const auto bomb = DecodePages(std::string("\x02\xff\xff\xff\xff\xff\x3f", 7), kMost);
  EXPECT_EQ(ReasonOf(bomb.status()), Reason::kTooLarge);
}

TEST(PageList, RefusesEveryTruncation) {
  for (const auto& pages : {RandomPages(50, 131072, 1), std::vector<int32_t>{7, 8, 9, 100, 3}}) {
    const std::string bytes = EncodePages(pages);
    for (size_t n = 1; n < bytes.size(); ++n) {
      EXPECT_FALSE(DecodePages(bytes.substr(0, n), kMost).ok()) << n;
    }
  }
}

TEST(PageList, RefusesPagesOutOfRangeUnknownFormsAndStrayBits) {
  for (const std::string& bytes :
       {std::string("\x03\x01", 2), std::string("\x01", 1), std::string("\x02", 1),
        std::string("\x01\x20\x01\xff\xff\xff\xff", 7),  // 32 bits wide
        std::string("\x01\x01\x01\x03", 4),              // a bit after the last page
        std::string("\x02\x01\x01\x00", 4),              // page -1
        std::string("\x02\x01\x00\x01", 4),              // a run longer than the list
        std::string("\x02\x01\x00\x00\x00", 5)}) {       // a byte after the last run
    const auto decoded = DecodePages(bytes, kMost);
    EXPECT_EQ(ReasonOf(decoded.status()), Reason::kBadMessage);
  }
}

TEST(PageList, SurvivesRandomBytes) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random() % 24, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    if (!bytes.empty()) bytes[0] = static_cast<char>(1 + random() % 2);
    const auto decoded = DecodePages(bytes, 4096);
    if (!decoded.ok()) continue;
    for (int32_t page : *decoded) ASSERT_GE(page, 0);
  }
}

}  // namespace
}  // namespace baton::planner
