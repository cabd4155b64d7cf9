#include "admin/docs/configuration.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace baton::admin {
namespace {

TEST(Configuration, ThePageInDocsIsCurrent) {
  std::ifstream file("docs/configuration.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), ConfigurationMarkdown()) << "make docs writes it anew";
}

}  // namespace
}  // namespace baton::admin
