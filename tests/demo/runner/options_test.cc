#include "tests/demo/runner/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::demo {
namespace {

using testing::HasSubstr;

std::string ErrorOf(const DemoOptions& options) {
  auto scenarios = MakeScenarios(options);
  return scenarios.ok() ? "" : std::string(scenarios.status().message());
}

TEST(MakeScenarios, RunsTheThreeModelsOverBothTransports) {
  auto scenarios = MakeScenarios({});
  ASSERT_TRUE(scenarios.ok());
  ASSERT_EQ(scenarios->size(), 6u);
  EXPECT_EQ((*scenarios)[0].transport, "tcp");
  EXPECT_EQ((*scenarios)[1].transport, "shm");
  EXPECT_EQ((*scenarios)[4].preset, "qwen3-235b");
}

TEST(MakeScenarios, RunsNamedPairsInstead) {
  DemoOptions options;
  options.pairs = {"seed", "tp-gather"};
  options.transports = {"tcp"};
  auto scenarios = MakeScenarios(options);
  ASSERT_TRUE(scenarios.ok());
  ASSERT_EQ(scenarios->size(), 2u);
  EXPECT_EQ((*scenarios)[0].prefill, "pp2,cp8,tp8");
}

TEST(MakeScenarios, NamesTheFlagThatIsWrong) {
  DemoOptions options;
  options.presets = {"gpt-2"};
  EXPECT_THAT(ErrorOf(options), HasSubstr("--preset: no model gpt-2"));
  options = {};
  options.transports = {"pigeon"};
  EXPECT_THAT(ErrorOf(options), HasSubstr("--transport: pigeon must be one of tcp, shm"));
  options = {};
  options.pairs = {"nonesuch"};
  EXPECT_THAT(ErrorOf(options), HasSubstr("--pair: no pair nonesuch"));
  options = {};
  options.attach_socket = "/run/baton/attach.sock";
  EXPECT_THAT(ErrorOf(options), HasSubstr("--attach_socket: agents that run already need"));
}

}  // namespace
}  // namespace baton::demo
