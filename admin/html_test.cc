#include "admin/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::admin {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Html, TextFromOutsideCannotBeMarkup) {
  HtmlPage page("a <title>", 1000);
  page.Text("<script>alert('&\"')</script>").Cell("</td><b onclick=x>");
  const std::string html = page.Finish();
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;"));
  EXPECT_THAT(html, HasSubstr("<td>&lt;/td&gt;&lt;b onclick=x&gt;</td>"));
  EXPECT_THAT(html, HasSubstr("<title>a &lt;title&gt;</title>"));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, EndsWith("</body></html>\n"));
}

TEST(Html, WhatIsNoTextBecomesAQuestionMark) {
  EXPECT_EQ(Escaped(absl::string_view("a\0\x1b\xff\xc3\xa9", 6)), "a???\xc3\xa9");
}

TEST(Html, AQuerysValueIsDecodedAndNeverTrusted) {
  EXPECT_EQ(QueryValue("x=1&server=a%20b%3c&y", "server"), "a b<");
  EXPECT_EQ(QueryValue("server=%zz%4", "server"), "%zz%4");
  EXPECT_EQ(QueryValue("server", "server"), "");
  EXPECT_EQ(QueryValue("", "server"), "");
  EXPECT_EQ(QueryValue("observer=1", "server"), "");
}

TEST(Html, NumbersAreWrittenForPeople) {
  EXPECT_EQ(BytesText(0), "0 B");
  EXPECT_EQ(BytesText(1536), "1.5 KiB");
  EXPECT_EQ(BytesText(1e15), "909.5 TiB");
  EXPECT_EQ(SecondsText(2.5e-5), "25 us");
  EXPECT_EQ(SecondsText(0.25), "250.0 ms");
  EXPECT_EQ(SecondsText(10), "10.0 s");
}

TEST(Html, APageSaysWhenItIsFull) {
  HtmlPage page("t", 4000);
  EXPECT_FALSE(page.full());
  page.Text(std::string(4000, 'a'));
  EXPECT_TRUE(page.full());
}

}  // namespace
}  // namespace baton::admin
