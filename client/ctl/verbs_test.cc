// What each verb asks and shows.
#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>

#include "client/ctl/run_fixture.h"

namespace baton::ctl {
namespace {

using testing::HasSubstr;

constexpr char kServer[] = R"(
  name: "prefill-a" incarnation: 17001 role: ROLE_PREFILL model: "llama"
  state: SERVER_STATE_REGISTERING
  spec {
    sizes { dp: 1 pp: 2 cp: 1 tp: 2 }
    cp_sharding: CP_SHARDING_REPLICATED
    page_groups { page_tokens: 16 }
    tensors { kind: KIND_K layers: 0 layers: 1 dtype: "bf16" heads: 8 head_bytes: 256 }
    tensors { kind: KIND_AUX layers: 0 dtype: "u8" heads: 1 head_bytes: 64 }
  }
  ranks { coord { tp: 0 } epoch: 77 agent_address: "10.0.0.7:7100" }
  ranks { coord { tp: 1 } epoch: 77 agent_address: "10.0.0.7:7100" }
  ranks { coord { pp: 1 } epoch: 78 agent_address: "10.0.0.8:7100" }
  missing { pp: 1 tp: 1 } missing_count: 1
  labels { key: "zone" value: "a" }
  aliases: "10.0.0.1:8998" aliases: "chat"
  load { rooms: 3 bytes_per_second: 1610612736 }
  modified { store_epoch: 5 number: 12 }
)";

class VerbsTest : public RunTest {};

TEST_F(VerbsTest, ServerListIsATable) {
  *answers_.servers.add_servers() = Text<v1::ServerRecord>(kServer);
  EXPECT_EQ(Ctl({"server", "list", "--role=prefill", "--model=llama"}), kExitOk) << err();
  EXPECT_EQ("\n" + out(), R"(
NAME       ROLE     STATE        RANKS  SIZES            MODEL  ROOMS  RATE       INCARNATION
prefill-a  prefill  registering  3/4    dp1 pp2 cp1 tp2  llama  3      1.61 GB/s  17001
)");
  EXPECT_EQ(answers_.asked_servers.role(), v1::ROLE_PREFILL);
  EXPECT_EQ(answers_.asked_servers.model(), "llama");
}

TEST_F(VerbsTest, AnEmptyListSaysSo) {
  EXPECT_EQ(Ctl({"server", "list"}), kExitOk);
  EXPECT_EQ(out(), "no server is registered\n");
}

TEST_F(VerbsTest, JsonIsTheMessageItself) {
  *answers_.servers.add_servers() = Text<v1::ServerRecord>(kServer);
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"server", "list", "-o", "json"},
        {"-o", "json", "server", "list"},
        {"--output=json", "server", "list"},
        {"server", "list", "-o=json"}}) {
    EXPECT_EQ(Ctl(args), kExitOk) << err();
    v1::ListServersResponse back;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(out(), &back).ok()) << out();
    EXPECT_EQ(back.SerializeAsString(), answers_.servers.SerializeAsString());
    EXPECT_THAT(out(), HasSubstr("\"agent_address\": \"10.0.0.7:7100\"")) << "the schema's names";
  }
}

TEST_F(VerbsTest, ServerDescribeShowsEverything) {
  *answers_.server.mutable_server() = Text<v1::ServerRecord>(kServer);
  EXPECT_EQ(Ctl({"server", "describe", "prefill-a"}), kExitOk) << err();
  EXPECT_EQ(answers_.asked_server.name(), "prefill-a");
  EXPECT_EQ(out(), R"(server:
FIELD        VALUE
name         prefill-a
aliases      10.0.0.1:8998, chat
role         prefill
model        llama
state        registering
incarnation  17001
sizes        dp1 pp2 cp1 tp2
cp sharding  replicated
ranks        3/4
rooms        3
rate         1.61 GB/s
modified     5.12
label zone   a

ranks:
RANK             AGENT          EPOCH
dp0/pp0/cp0/tp0  10.0.0.7:7100  77
dp0/pp0/cp0/tp1  10.0.0.7:7100  77
dp0/pp1/cp0/tp0  10.0.0.8:7100  78

missing (1):
RANK
dp0/pp1/cp0/tp1

tensors:
KIND  NAME  LAYERS  DTYPE  HEADS  HEAD BYTES  PAGE
k     -     2       bf16   8      256         16 tokens
aux   -     1       u8     1      64          row
)");
}

TEST_F(VerbsTest, WatchShowsALineAnEvent) {
  answers_.watches.push_back({Text<v1::WatchResponse>(std::string("events { server {") + kServer +
                                                      "}} events { snapshot_done: true }"),
                              Text<v1::WatchResponse>(R"(
    events { bookmark: true }
    events { delta { name: "prefill-a" state: SERVER_STATE_READY
                     upserted { coord { pp: 1 tp: 1 } agent_address: "10.0.0.8:7100" }
                     removed { tp: 1 } load { rooms: 4 } } }
    events { removed: "decode-b" })")});
  EXPECT_EQ(Ctl({"server", "watch", "prefill-a"}), kExitUnavailable) << "the stream broke";
  EXPECT_EQ(out(), R"(server    prefill-a                prefill registering 3/4 ranks
current                            all of the above is there now; changes follow
changed   prefill-a                ready +dp0/pp1/cp0/tp1@10.0.0.8:7100 -dp0/pp0/cp0/tp1 rooms=4
removed   decode-b
)");
  EXPECT_EQ(answers_.asked_watch.servers(0), "prefill-a");
}

TEST_F(VerbsTest, WatchOnceEndsWithTheSnapshot) {
  answers_.watches.push_back({Text<v1::WatchResponse>("events { snapshot_done: true }"),
                              Text<v1::WatchResponse>("events { removed: 'later' }")});
  EXPECT_EQ(Ctl({"server", "watch", "--once", "-o", "json"}), kExitOk) << err();
  EXPECT_EQ(out(), "{\"snapshot_done\":true}\n");
}

TEST_F(VerbsTest, WatchBeginsAgainWhenTheServiceAsksForIt) {
  answers_.watches = {{Text<v1::WatchResponse>("events { compacted: true }")},
                      {Text<v1::WatchResponse>("events { dropped: 'too slow' }")},
                      {Text<v1::WatchResponse>("events { snapshot_done: true }")}};
  EXPECT_EQ(Ctl({"server", "watch", "--once"}), kExitOk) << err();
  EXPECT_EQ(answers_.watches_begun, 3u);
  EXPECT_THAT(out(), HasSubstr("dropped                            too slow"));
}

TEST_F(VerbsTest, AgentStatusShowsRanksAndPeers) {
  answers_.agents[""] = Text<v1::AgentStatusResponse>(R"(
    version: "0.1.0" epoch: 99 address: "10.0.0.7:7100" workers: 2
    ranks { rank { server: "prefill-a" coord { tp: 1 } } role: ROLE_PREFILL incarnation: 7
            registered: true rooms: 2 pool_bytes: 1048576 rooms_done: 9 rooms_failed: 1
            bytes: 4096 }
    ranks { rank { server: "prefill-a" coord {} } role: ROLE_PREFILL worker: 1
            registration_error: "SPEC_MISMATCH: sizes" pool_bytes: 100 }
    peers { agent_address: "10.0.0.9:7100" epoch: 5 state: "up" transport: "tcp, no shared memory" }
    bytes_sent: 2048 bytes_landed: 0 bytes_copied: 2048 rooms_done: 4 rooms_failed: 1)");
  EXPECT_EQ(Ctl({"agent", "status", "--service_socket=/tmp/a.sock"}), kExitOk) << err();
  EXPECT_EQ(options_.service_socket, "/tmp/a.sock");
  EXPECT_EQ(out(), R"(agent:
FIELD         VALUE
version       0.1.0
address       10.0.0.7:7100
epoch         99
workers       2
draining      no
rooms done    4
rooms failed  1
sent          2.0 KiB
landed        0 B
copied        2.0 KiB

ranks:
RANK                        ROLE     REGISTERED                ROOMS  DONE  FAILED  MOVED    POOL
prefill-a[dp0/pp0/cp0/tp1]  prefill  yes                       2      9     1       4.0 KiB  1.0 MiB
prefill-a[dp0/pp0/cp0/tp0]  prefill  no: SPEC_MISMATCH: sizes  0      0     0       0 B      100 B

peers:
AGENT          STATE  TRANSPORT
10.0.0.9:7100  up     tcp, no shared memory
)");
  EXPECT_EQ(Ctl({"agent", "status", "-o", "wide"}), kExitOk) << err();
  EXPECT_THAT(out(), HasSubstr("POOL     WORKER  INCARNATION\n"));
  EXPECT_THAT(out(), HasSubstr("tcp, no shared memory  5\n"));
}

TEST_F(VerbsTest, RoomListNamesTheRankToBlame) {
  answers_.rooms[""] = Text<v1::ListRoomsResponse>(R"(
    rooms { room { id: 42 nonce: 7 } rank { server: "d" coord { tp: 1 } } role: ROLE_DECODE
            state: "failed" bytes: 4096 age_ms: 61000
            cause { reason: "DEADLINE" message: "too late"
                    rank { server: "p" coord {} } } }
    rooms { room { id: 43 } rank { server: "d" coord { tp: 1 } } role: ROLE_DECODE
            state: "offered" age_ms: 12 })");
  EXPECT_EQ(Ctl({"room", "list", "--failed", "--limit", "10"}), kExitOk) << err();
  EXPECT_TRUE(answers_.asked_rooms.failed_only());
  EXPECT_EQ(answers_.asked_rooms.limit(), 10u);
  EXPECT_EQ(out(),
            R"(ROOM  RANK                ROLE    STATE    BYTES    AGE   CAUSE
42#7  d[dp0/pp0/cp0/tp1]  decode  failed   4.0 KiB  1m1s  DEADLINE: too late (p[dp0/pp0/cp0/tp0])
43    d[dp0/pp0/cp0/tp1]  decode  offered  0 B      12ms  -
)");
}

TEST_F(VerbsTest, RoomAbortNamesRoomRankAndWhy) {
  answers_.abort.set_aborted(2);
  EXPECT_EQ(Ctl({"room", "abort", "42#7", "--rank=decode-a[dp0/pp0/cp0/tp1]", "--why", "replaced"}),
            kExitOk)
      << err();
  EXPECT_EQ(out(), "ROOM  RANKS ABORTED\n42#7  2\n");
  EXPECT_EQ(answers_.asked_abort.room().id(), 42u);
  EXPECT_EQ(answers_.asked_abort.room().nonce(), 7u);
  EXPECT_EQ(answers_.asked_abort.rank().coord().tp(), 1u);
  EXPECT_EQ(answers_.asked_abort.why(), "replaced");
}

TEST_F(VerbsTest, AbortingWhatIsNotOpenIsNotFound) {
  EXPECT_EQ(Ctl({"room", "abort", "42"}), kExitNotFound);
  EXPECT_EQ(out(), "");
  EXPECT_EQ(err(),
            "batonctl: no rank of this agent has room 42 open\n"
            "  ROOM_UNKNOWN: open the room first\n");
}

TEST_F(VerbsTest, PlanExplainTakesItsOwnWords) {
  EXPECT_EQ(Ctl({"plan", "explain", "--prefill", "/nonexistent", "--decode", "/nonexistent"}),
            kExitUsage);
  EXPECT_THAT(err(), HasSubstr("/nonexistent"));
  EXPECT_EQ(Ctl({"help", "plan", "explain"}), kExitOk);
  EXPECT_THAT(out(), HasSubstr("--expand"));
}

}  // namespace
}  // namespace baton::ctl
