#include "common/utf8.h"

#include <gtest/gtest.h>

#include <random>

namespace baton {
namespace {

TEST(CleanUtf8, LeavesGoodTextAlone) {
  for (const char* text : {"", "plain", "h\u00e9llo", "\u20ac", "\U0001f600 end", "\U0010ffff"}) {
    EXPECT_EQ(CleanUtf8(text), text);
  }
}

TEST(CleanUtf8, ReplacesWhatIsNoCharacter) {
  EXPECT_EQ(CleanUtf8("a\xff z"), "a? z");
  EXPECT_EQ(CleanUtf8("cut \xe2\x82"), "cut ??");
  EXPECT_EQ(CleanUtf8("\x80"), "?");
  EXPECT_EQ(CleanUtf8("\xc0\xaf"), "??");            // overlong
  EXPECT_EQ(CleanUtf8("\xe0\x80\xaf"), "???");       // overlong
  EXPECT_EQ(CleanUtf8("\xed\xa0\x80"), "???");       // surrogate
  EXPECT_EQ(CleanUtf8("\xf4\x90\x80\x80"), "????");  // above the last
  EXPECT_EQ(CleanUtf8("a\nb\x7f"), "a?b?");
}

TEST(CleanUtf8, ReplacesWhatShowsSomethingElseThanWhatIsThere) {
  EXPECT_EQ(CleanUtf8("\x1b[2Jgone"), "?[2Jgone");
  EXPECT_EQ(CleanUtf8("\u009b2J"), "??2J");               // the control of one character
  EXPECT_EQ(CleanUtf8("a\u202etxt.exe"), "a???txt.exe");  // an override of direction
  EXPECT_EQ(CleanUtf8("a\u2066b\u200bc\ufeff"), "a???b???c???");
  EXPECT_EQ(CleanUtf8("a\u2028b"), "a???b");  // a line's end
  EXPECT_TRUE(IsCleanUtf8("h\u00e9llo \u20ac \u2014 \u00a0"));
  EXPECT_FALSE(IsCleanUtf8("a\nb"));
  EXPECT_FALSE(IsCleanUtf8("a\u202eb"));
}

TEST(CleanUtf8, IsCleanAfterOnce) {
  std::mt19937 random(5);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random() % 12, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 3 == 0 ? random() : 'a');
    std::string clean = CleanUtf8(bytes);
    ASSERT_EQ(CleanUtf8(clean), clean);
    ASSERT_EQ(clean.size(), bytes.size());
  }
}

}  // namespace
}  // namespace baton
