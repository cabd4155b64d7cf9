// The live grid: what it makes of two looks, and how it is drawn.
#include <gmock/gmock.h>

#include "client/ctl/run_fixture.h"
#include "client/ctl/top_model.h"

namespace baton::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kServers[] = R"(
  servers {
    name: "prefill-a" role: ROLE_PREFILL model: "llama" state: SERVER_STATE_REGISTERING
    spec { sizes { dp: 1 pp: 1 cp: 2 tp: 2 } }
    ranks { coord {} agent_address: "a:1" } ranks { coord { tp: 1 } agent_address: "a:1" }
    ranks { coord { cp: 1 } agent_address: "b:1" }
    missing { cp: 1 tp: 1 } missing_count: 1
  })";

v1::AgentStatusResponse Agent(uint64_t bytes, uint64_t failed) {
  v1::AgentStatusResponse agent = Text<v1::AgentStatusResponse>(R"(
    epoch: 5
    ranks { rank { server: "prefill-a" coord {} } registered: true rooms: 2 rooms_done: 7 }
    ranks { rank { server: "prefill-a" coord { tp: 1 } } registered: true })");
  agent.mutable_ranks(0)->set_bytes(bytes);
  agent.mutable_ranks(1)->set_rooms_failed(failed);
  return agent;
}

class TopTest : public RunTest {
 protected:
  TopTest() {
    answers_.servers = Text<v1::ListServersResponse>(kServers);
    answers_.agents["a:1"] = Agent(0, 0);
  }
};

TEST_F(TopTest, RatesAndFailuresAreOverTheTimeBetweenTwoLooks) {
  TopModel model;
  AgentAnswers agents;
  agents.emplace("a:1", Agent(1000, 1));
  agents.emplace("b:1", absl::UnavailableError("away"));
  const v1::TopReport first = model.Look(answers_.servers, agents, 10000);
  EXPECT_EQ(first.interval_ms(), 0u);
  EXPECT_EQ(first.servers(0).ranks(0).bytes_per_second(), 0u);
  EXPECT_EQ(first.servers(0).ranks(1).state(), "idle") << "what failed before is no news";
  agents.at("a:1") = Agent(2500001000, 2);
  const v1::TopReport second = model.Look(answers_.servers, agents, 12000);
  EXPECT_EQ(second.interval_ms(), 2000u);
  EXPECT_EQ(second.servers(0).ranks(0).bytes_per_second(), 1250000000u);
  EXPECT_EQ(second.servers(0).ranks(0).state(), "busy");
  EXPECT_EQ(second.servers(0).ranks(1).state(), "failing");
  EXPECT_EQ(second.servers(0).ranks(2).state(), "silent");
  EXPECT_EQ(second.servers(0).ranks(3).state(), "missing");
  EXPECT_EQ("\n" + ShowTop(second, false), R"(
1 servers  3/4 ranks  2 rooms  1.25 GB/s  7 done  2 failed

prefill-a  prefill registering  llama  3/4 ranks  2 rooms  1.25 GB/s  7 done  2 failed
         tp0      tp1
    cp0  2 1.25G  !
    cp1  ??       --

rooms and GB/s sent or landed; ok idle, ! rooms failed, -- missing, un not registered,
?? its agent is silent
?? b:1: away
)");
}

TEST_F(TopTest, AnAgentOrEngineThatStartedAnewHasNoRateAtFirst) {
  TopModel model;
  AgentAnswers agents;
  agents.emplace("a:1", Agent(5000, 0));
  model.Look(answers_.servers, agents, 10000);
  agents.at("a:1") = Agent(10, 0);
  EXPECT_EQ(model.Look(answers_.servers, agents, 11000).servers(0).ranks(0).bytes_per_second(), 0u);
  agents.at("a:1") = Agent(9000, 0);
  agents.at("a:1")->set_epoch(6);
  EXPECT_EQ(model.Look(answers_.servers, agents, 12000).servers(0).ranks(0).bytes_per_second(), 0u);
}

TEST_F(TopTest, ARankThatItsAgentHasNotRegisteredIsMarked) {
  TopModel model;
  AgentAnswers agents;
  agents.emplace("a:1", v1::AgentStatusResponse());
  const v1::TopReport report = model.Look(answers_.servers, agents, 10000);
  EXPECT_EQ(report.servers(0).ranks(0).state(), "unregistered");
  EXPECT_THAT(ShowTop(report, false), HasSubstr("cp0  un   un\n"));
}

TEST_F(TopTest, WithoutATerminalOneLookIsPrinted) {
  EXPECT_EQ(Ctl({"top", "--interval_ms=1"}), kExitOk) << err();
  EXPECT_THAT(out(), StartsWith("1 servers  3/4 ranks"));
  EXPECT_THAT(out(), Not(HasSubstr("\x1b"))) << "nothing for a terminal";
  EXPECT_EQ(Ctl({"top", "--interval_ms=1", "-o", "wide"}), kExitOk);
  EXPECT_THAT(out(), HasSubstr("    dp0/pp0/cp0/tp0  busy     2      0 B/s  7     0\n"));
  EXPECT_EQ(Ctl({"top", "--interval_ms=1", "-o", "json"}), kExitOk);
  EXPECT_THAT(out(), HasSubstr("\"state\":\"silent\""));
  EXPECT_EQ(Ctl({"top", "other", "--interval_ms=1"}), kExitOk);
  EXPECT_THAT(out(), HasSubstr("no server is registered\n"));
}

TEST_F(TopTest, OnATerminalEachLookIsDrawnOverTheLast) {
  terminal_ = true;
  EXPECT_EQ(Ctl({"top", "--interval_ms=1", "--looks=3"}), kExitOk) << err();
  size_t looks = 0;
  for (size_t at = out().find("\x1b[H"); at != std::string::npos;
       at = out().find("\x1b[H", at + 1)) {
    ++looks;
  }
  EXPECT_EQ(looks, 3u);
  EXPECT_THAT(out(), HasSubstr("\x1b[K\n")) << "the rest of a longer line goes";
  EXPECT_EQ(Ctl({"top", "--once", "--interval_ms=1"}), kExitOk);
  EXPECT_THAT(out(), Not(HasSubstr("\x1b")));
}

TEST_F(TopTest, AServiceThatIsAwayIsAnError) {
  terminal_ = true;
  answers_.status = Error(Reason::kPeerLost, "away");
  EXPECT_EQ(Ctl({"top"}), kExitUnavailable);
  EXPECT_THAT(err(), HasSubstr("away"));
}

}  // namespace
}  // namespace baton::ctl
