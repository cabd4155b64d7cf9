#include "admin/docs/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "common/config/config.h"

namespace baton::admin {
namespace {

TEST(Configuration, ThePageInDocsIsCurrent) {
  std::ifstream file("docs/configuration.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), ConfigurationMarkdown()) << "make docs writes it anew";
}

TEST(Configuration, AVariableOfTheOtherProgramIsNoMistake) {
  const std::string page = ConfigurationMarkdown();
  std::vector<std::string> all;
  for (size_t at = 0; (at = page.find("| `BATON_", at)) != std::string::npos; ++at) {
    all.push_back(page.substr(at + 3, page.find('`', at + 3) - at - 3) + "=1");
  }
  ASSERT_GT(all.size(), 40u);
  std::vector<const char*> environment;
  for (const std::string& text : all) environment.push_back(text.c_str());
  environment.push_back(nullptr);
  EXPECT_THAT(ConfigTable("other", "").UnknownVariables(environment.data()), testing::IsEmpty());
}

}  // namespace
}  // namespace baton::admin
