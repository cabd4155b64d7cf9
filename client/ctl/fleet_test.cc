// Verbs that look at many agents, or take things out of service.
#include <gmock/gmock.h>

#include "client/ctl/run_fixture.h"

namespace baton::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kServers[] = R"(
  servers {
    name: "decode-a" role: ROLE_DECODE model: "llama" state: SERVER_STATE_READY incarnation: 9
    spec { sizes { dp: 1 pp: 1 cp: 1 tp: 1 } }
    ranks { coord {} epoch: 5 agent_address: "10.0.0.9:7100" }
  }
  servers {
    name: "prefill-a" role: ROLE_PREFILL model: "llama" state: SERVER_STATE_REGISTERING
    incarnation: 7 spec { sizes { dp: 1 pp: 1 cp: 1 tp: 2 } }
    ranks { coord {} epoch: 4 agent_address: "10.0.0.7:7100" }
    missing { tp: 1 } missing_count: 1
  })";

class FleetTest : public RunTest {
 protected:
  FleetTest() {
    answers_.servers = Text<v1::ListServersResponse>(kServers);
    for (const char* agent : {"10.0.0.7:7100", "10.0.0.9:7100"}) {
      answers_.agents[agent] = {};
      answers_.rooms[agent] = {};
      answers_.traces[agent] = {};
    }
  }
};

TEST_F(FleetTest, RankListShowsEveryRankAndItsAgent) {
  EXPECT_EQ(Ctl({"rank", "list"}), kExitOk) << err();
  EXPECT_EQ("\n" + out(), R"(
RANK                        STATE    ROLE     AGENT
decode-a[dp0/pp0/cp0/tp0]   up       decode   10.0.0.9:7100
prefill-a[dp0/pp0/cp0/tp0]  up       prefill  10.0.0.7:7100
prefill-a[dp0/pp0/cp0/tp1]  missing  prefill  -
)");
  EXPECT_EQ(Ctl({"rank", "list", "prefill-a", "-o", "wide"}), kExitOk) << err();
  EXPECT_THAT(out(), HasSubstr("EPOCH  INCARNATION  SERVER STATE\n"));
  EXPECT_THAT(out(), HasSubstr("10.0.0.7:7100  4      7            registering\n"));
  EXPECT_THAT(out(), Not(HasSubstr("decode-a")));
}

TEST_F(FleetTest, RankListShowsWhatIsMissingAndCountsWhatIsNotListed) {
  answers_.servers.mutable_servers(1)->set_missing_count(70);
  EXPECT_EQ(Ctl({"rank", "list", "--missing"}), kExitOk) << err();
  EXPECT_EQ("\n" + out(), R"(
RANK                        STATE    ROLE     AGENT
prefill-a[dp0/pp0/cp0/tp1]  missing  prefill  -

69 more are missing (1 are listed)
)");
  EXPECT_EQ(Ctl({"rank", "list", "--missing", "-o", "json"}), kExitOk) << err();
  EXPECT_THAT(out(), HasSubstr("\"state\": \"missing\""));
}

TEST_F(FleetTest, RankListOfAnUnknownServerIsNotFound) {
  EXPECT_EQ(Ctl({"rank", "list", "prefill-b"}), kExitNotFound);
  EXPECT_THAT(err(), HasSubstr("no server 'prefill-b'"));
  EXPECT_THAT(err(), HasSubstr("batonctl server list"));
}

TEST_F(FleetTest, ServerDrainShowsTheStateAfterwards) {
  answers_.server = Text<v1::GetServerResponse>(
      "server { name: 'prefill-a' state: SERVER_STATE_DRAINING load { rooms: 3 } }");
  EXPECT_EQ(Ctl({"server", "drain", "prefill-a"}), kExitOk) << err();
  EXPECT_EQ(out(), "NAME       STATE     ROOMS\nprefill-a  draining  3\n");
  EXPECT_EQ(answers_.asked_drain.server(), "prefill-a");
  EXPECT_FALSE(answers_.asked_drain.undo());
  EXPECT_EQ(Ctl({"server", "drain", "prefill-a", "--undo"}), kExitOk) << err();
  EXPECT_TRUE(answers_.asked_drain.undo());
  answers_.status = Error(Reason::kUnknownServer, "no server 'x'");
  EXPECT_EQ(Ctl({"server", "drain", "x"}), kExitNotFound);
}

TEST_F(FleetTest, AgentDrainWaitsForTheLastRoom) {
  answers_.rooms_while_draining = {2, 1, 0};
  EXPECT_EQ(Ctl({"agent", "drain"}), kExitOk) << err();
  EXPECT_THAT(out(), HasSubstr("draining: no new rooms  2\n"));
  EXPECT_EQ(answers_.drains, 1u);
  EXPECT_EQ(Ctl({"agent", "drain", "--wait", "--timeout_ms=60000"}), kExitOk) << err();
  EXPECT_EQ(answers_.drains, 3u);
  EXPECT_THAT(out(), HasSubstr("no new rooms  0\n"));
}

TEST_F(FleetTest, AgentDrainSaysWhatIsLeftWhenItsTimeIsOver) {
  answers_.rooms_while_draining = {4};
  EXPECT_EQ(Ctl({"agent", "drain", "--wait", "--timeout_ms=1"}), kExitUnavailable);
  EXPECT_THAT(err(), HasSubstr("4 rooms are open after --timeout_ms=1; batonctl room list"));
}

TEST_F(FleetTest, AgentDumpIsAReport) {
  answers_.dump = Text<v1::DumpResponse>(R"(
    status { version: "0.1.0" address: "10.0.0.7:7100" }
    settings: "transport=auto" settings: "listen=0.0.0.0:7100"
    channels { worker: 1 transport: "tcp" agent_address: "10.0.0.9:7100" state: "up" }
    rooms { status { room { id: 42 } rank { server: "p" coord {} } state: "done" bytes: 2048
                     age_ms: 31 }
            stages { name: "opened" } stages { name: "done" offset_us: 31000 } }
    findings { check: "memlock" verdict: CHECK_VERDICT_FAIL cause: "8 MiB" cure: "raise it" })");
  EXPECT_EQ(Ctl({"agent", "dump", "--limit=5"}), kExitOk) << err();
  EXPECT_EQ(answers_.asked_dump.limit(), 5u);
  for (const char* line :
       {"transport  auto\n", "1       tcp        10.0.0.9:7100  0           up\n",
        "42    p[dp0/pp0/cp0/tp0]  done   2.0 KiB  31ms  -      opened +0us  done +31.00ms\n",
        "memlock  FAIL  8 MiB       raise it\n"}) {
    EXPECT_THAT(out(), HasSubstr(line));
  }
}

constexpr char kSourceTrace[] = R"(
  rooms { status { room { id: 42 nonce: 7 } rank { server: "prefill-a" coord {} }
                   role: ROLE_PREFILL state: "sent" bytes: 1024 age_ms: 2
                   cause { reason: "DEADLINE" message: "late" } }
          began_unix_us: 1000000 leg_count: 1
          stages { name: "opened" } stages { name: "offered" offset_us: 1500 }
          stages { name: "sent" offset_us: 1700 }
          legs { rank { server: "decode-a" coord {} } transport: "tcp" bytes: 1024
                 bytes_expected: 2048 sent: true } })";
constexpr char kTargetTrace[] = R"(
  rooms { status { room { id: 42 nonce: 7 } rank { server: "decode-a" coord {} }
                   role: ROLE_DECODE state: "landed" bytes: 1024 age_ms: 1 }
          began_unix_us: 1001000 ended: true
          stages { name: "opened" } stages { name: "done" offset_us: 250 } })";

TEST_F(FleetTest, RoomTracePutsTheStagesOfAllRanksOnOneAxis) {
  answers_.traces["10.0.0.7:7100"] = Text<v1::TraceRoomResponse>(kSourceTrace);
  answers_.traces["10.0.0.9:7100"] = Text<v1::TraceRoomResponse>(kTargetTrace);
  EXPECT_EQ(Ctl({"room", "trace", "42"}), kExitOk) << err();
  EXPECT_TRUE(answers_.asked_trace.any_nonce());
  EXPECT_EQ("\n" + out(), R"(
ranks:
RANK                        ROLE     STATE   BYTES    TOOK  SLOWEST                   CAUSE
prefill-a[dp0/pp0/cp0/tp0]  prefill  sent    1.0 KiB  2ms   opened to offered 1.50ms  DEADLINE: late
decode-a[dp0/pp0/cp0/tp0]   decode   landed  1.0 KiB  1ms   opened to done 250us      -

stages:
AT       RANK                        STAGE
+0us     prefill-a[dp0/pp0/cp0/tp0]  opened
+1.00ms  decode-a[dp0/pp0/cp0/tp0]   opened
+1.25ms  decode-a[dp0/pp0/cp0/tp0]   done
+1.50ms  prefill-a[dp0/pp0/cp0/tp0]  offered
+1.70ms  prefill-a[dp0/pp0/cp0/tp0]  sent

other ends:
RANK                        WITH                       TRANSPORT  BYTES    OF       SENT  ALL THERE
prefill-a[dp0/pp0/cp0/tp0]  decode-a[dp0/pp0/cp0/tp0]  tcp        1.0 KiB  2.0 KiB  yes   no
)");
}

TEST_F(FleetTest, RoomTraceNamesAgentsThatDoNotAnswerAndShowsTheOthers) {
  answers_.traces["10.0.0.7:7100"] = Text<v1::TraceRoomResponse>(kSourceTrace);
  answers_.traces.erase("10.0.0.9:7100");
  EXPECT_EQ(Ctl({"room", "trace", "42#7"}), kExitOk) << err();
  EXPECT_FALSE(answers_.asked_trace.any_nonce());
  EXPECT_EQ(answers_.asked_trace.room().nonce(), 7u);
  EXPECT_THAT(out(), HasSubstr("did not answer:\nAGENT          WHY\n10.0.0.9:7100  the agent at"));
}

TEST_F(FleetTest, RoomTraceOfAnUnknownRoomSaysWhoWasAsked) {
  EXPECT_EQ(Ctl({"room", "trace", "42"}), kExitNotFound);
  EXPECT_THAT(err(), HasSubstr("no agent knows room 42; 2 asked"));
  EXPECT_EQ(Ctl({"room", "trace", "4x"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("'4x' is no room: write ID or ID#NONCE"));
  answers_.servers.Clear();
  EXPECT_EQ(Ctl({"room", "trace", "42"}), kExitNotFound);
  EXPECT_THAT(err(), HasSubstr("knows no agent"));
}

TEST_F(FleetTest, RoomTraceHereAsksOneAgentAndTellsWhenItIsAway) {
  answers_.traces[""] = Text<v1::TraceRoomResponse>(kTargetTrace);
  answers_.servers.Clear();
  EXPECT_EQ(Ctl({"room", "trace", "42", "--here"}), kExitOk) << err();
  EXPECT_EQ(Ctl({"room", "trace", "42", "--agent=10.0.0.9:7100"}), kExitOk) << err();
  answers_.traces.clear();
  EXPECT_EQ(Ctl({"room", "trace", "42", "--here"}), kExitUnavailable);
}

TEST_F(FleetTest, RoomListOfAllAgentsMergesThem) {
  answers_.rooms["10.0.0.7:7100"] = Text<v1::ListRoomsResponse>(
      "rooms { room { id: 1 } rank { server: 'prefill-a' coord {} } state: 'open' }");
  answers_.rooms.erase("10.0.0.9:7100");
  EXPECT_EQ(Ctl({"room", "list", "--all"}), kExitOk) << err();
  EXPECT_THAT(out(), HasSubstr("1     prefill-a[dp0/pp0/cp0/tp0]"));
  EXPECT_THAT(out(), HasSubstr("10.0.0.9:7100  the agent at 10.0.0.9:7100 is away"));
}

TEST_F(FleetTest, HealthIsAnExitStatus) {
  EXPECT_EQ(Ctl({"health", "--bootstrap=b:1"}), kExitOk) << err();
  EXPECT_EQ(answers_.asked_health, "b:1 ");
  EXPECT_EQ(out(), "ADDRESS  SERVICE  STATUS\nb:1      -        SERVING\n");
  answers_.health = Health::kNotServing;
  EXPECT_EQ(Ctl({"health", "127.0.0.1:7412", "--service=readiness", "-o", "json"}), kExitError);
  EXPECT_EQ(answers_.asked_health, "127.0.0.1:7412 readiness");
  EXPECT_THAT(out(), HasSubstr("\"status\": \"NOT_SERVING\""));
  EXPECT_EQ(Ctl({"health", "here"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("'here' is no address"));
  answers_.status = Error(Reason::kPeerLost, "away");
  EXPECT_EQ(Ctl({"health"}), kExitUnavailable);
}

constexpr char kSpec[] = R"(
    spec { sizes { dp: 1 pp: 1 cp: 1 tp: 1 } cp_sharding: CP_SHARDING_REPLICATED
           page_groups { page_tokens: 16 }
           tensors { kind: KIND_K layers: 0 dtype: "%s" heads: 8 head_bytes: 256
                     tokens_per_entry: 1 } }
    ranks { coord {} })";

std::string Spec(const std::string& dtype) {
  std::string text = kSpec;
  return text.replace(text.find("%s"), 2, dtype);
}

TEST_F(FleetTest, RouteExplainNamesWhatStandsBetween) {
  const std::string ready = "model: 'llama' state: SERVER_STATE_READY";
  auto route = [&](const std::string& prefill, const std::string& decode) {
    answers_.route =
        Text<v1::ResolveRouteResponse>("prefill { name: 'p' role: ROLE_PREFILL " + prefill +
                                       "} decode { name: 'd' role: "
                                       "ROLE_DECODE " +
                                       decode + "}");
    return Ctl({"route", "explain", "p", "d"});
  };
  // A layout without stages is no server's: a pair that may be picked is in the demo's test.
  EXPECT_EQ(route(ready + Spec("bf16"), ready + Spec("bf16")), kExitError);
  EXPECT_EQ(answers_.asked_route.prefill(), "p");
  EXPECT_EQ(answers_.asked_route.decode(), "d");
  EXPECT_THAT(out(), HasSubstr("NO  BAD_SPEC"));
  EXPECT_THAT(out(), HasSubstr("routers do not pick this pair"));
  EXPECT_EQ(route("model: 'qwen' state: SERVER_STATE_READY" + Spec("bf16"), ready + Spec("bf16")),
            kExitError);
  EXPECT_THAT(out(), HasSubstr("model"));
  EXPECT_EQ(Ctl({"route", "explain", "p"}), kExitUsage);
  answers_.status = Error(Reason::kUnknownServer, "no server 'p'");
  EXPECT_EQ(Ctl({"route", "explain", "p", "d"}), kExitNotFound);
}

}  // namespace
}  // namespace baton::ctl
