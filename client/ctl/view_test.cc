#include "client/ctl/view.h"

#include <gtest/gtest.h>

namespace baton::ctl {
namespace {

TEST(View, AlignsColumnsAndTitlesSections) {
  EXPECT_EQ(Render({{"one", {{"A", "LONG"}, {{"wider", "x"}, {"", "y"}}}, ""},
                    {"two", {{"B"}, {}}, "nothing there"}}),
            "one:\nA      LONG\nwider  x\n       y\n\ntwo:\nnothing there\n");
}

TEST(View, ShowsBytesInTheUnitThatFits) {
  EXPECT_EQ(ShowBytes(0), "0 B");
  EXPECT_EQ(ShowBytes(1023), "1023 B");
  EXPECT_EQ(ShowBytes(1536), "1.5 KiB");
  EXPECT_EQ(ShowBytes(UINT64_MAX), "16.0 EiB");
}

TEST(View, ShowsTimesAsPeopleSayThem) {
  EXPECT_EQ(ShowMillis(999), "999ms");
  EXPECT_EQ(ShowMillis(12340), "12.3s");
  EXPECT_EQ(ShowMillis(310000), "5m10s");
  EXPECT_EQ(ShowMillis(7400000), "2h3m");
}

TEST(Render, ShowsNothingThatATerminalObeys) {
  const std::string text = Render({{"", {{"NAME"}, {{"a\x1b[2J\nb"}}}, ""}});
  EXPECT_EQ(text, "NAME\na?[2J?b\n");
}

}  // namespace
}  // namespace baton::ctl
