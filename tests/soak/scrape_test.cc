#include "tests/soak/scrape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::soak {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(ScrapeTest, LabelsAreSummedAndOtherNamesLeftOut) {
  const char* text =
      "# HELP baton_peers Other agents.\n"
      "# TYPE baton_peers gauge\n"
      "baton_peers{state=\"up\"} 3\n"
      "baton_peers{state=\"down\"} 1\n"
      "baton_peers_total 40\n"
      "baton_channels 2.5e+01\n";
  EXPECT_THAT(SumByName(text, {"baton_peers", "baton_channels", "baton_none"}),
              ElementsAre(Pair("baton_channels", 25), Pair("baton_peers", 4)));
}

}  // namespace
}  // namespace baton::soak
