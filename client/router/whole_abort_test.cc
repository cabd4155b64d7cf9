// A room that is aborted by a router, among whole programs: a bootstrap service, two agents, an
// engine at each, and a source that never sends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>

#include "client/engine/engine_client.h"
#include "client/router/router_client.h"
#include "common/memfd.h"
#include "common/reason.h"
#include "tests/demo/runner/child.h"
#include "tests/support/eventually.h"
#include "transfer_agent/attach/testing/small_rank.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

constexpr char kModel[] = "small";
constexpr uint64_t kTokens = 32;  // two pages
constexpr auto kLong = std::chrono::seconds(60);

class WholeAbort : public ::testing::Test {
 protected:
  WholeAbort() {
    // Short: the paths of Unix sockets are.
    char folder[] = "/tmp/abort.XXXXXX";
    folder_ = mkdtemp(folder);
  }
  ~WholeAbort() override {
    children_.clear();
    std::filesystem::remove_all(folder_);
  }

  void SetUp() override {
    Start("bootstrap", {"bootstrap_service/app/baton-bootstrap", "--listen=127.0.0.1:0",
                        "--port_file=" + Path("registry"), "--settle=none"});
    ASSERT_TRUE(Eventually([&] { return ReadLine("registry", &registry_); })) << Logs();
    for (const std::string name : {"prefill", "decode"}) {
      Start(name, {"transfer_agent/app/baton-agent", "--listen=127.0.0.1:0", "--transport=tcp",
                   "--bootstrap=" + registry_, "--port_file=" + Path(name + ".port"),
                   "--attach_socket=" + Path(name + ".attach"),
                   "--service_socket=" + Path(name + ".agent")});
      std::string address;
      ASSERT_TRUE(Eventually([&] { return ReadLine(name + ".port", &address); })) << Logs();
    }
  }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Start(const std::string& name, std::vector<std::string> argv) {
    auto child = demo::Child::Start({name, std::move(argv), Path(name + ".log")});
    ASSERT_TRUE(child.ok()) << child.status();
    children_.push_back(*std::move(child));
  }
  bool ReadLine(const std::string& name, std::string* line) const {
    std::ifstream file(Path(name));
    return static_cast<bool>(std::getline(file, *line));
  }
  std::string Logs() const {
    std::string all;
    for (const auto& child : children_) all += child->name() + ":\n" + child->LogTail(20) + "\n";
    return all;
  }

  std::unique_ptr<EngineClient> Engine(const std::string& name, Role role, const UniqueFd& pool) {
    EngineOptions options;
    options.agent_socket = Path(name + ".attach");
    options.server = name;
    options.launch_id = "1";
    options.role = role;
    options.model = kModel;
    options.spec = attach::SmallSpec();
    options.layout = attach::SmallLayout();
    options.regions = {{"kv", pool.get(), attach::kSmallPoolBytes, false}};
    auto engine = EngineClient::Attach(options);
    EXPECT_TRUE(engine.ok()) << engine.status() << Logs();
    return engine.ok() ? *std::move(engine) : nullptr;
  }

  std::string folder_;
  std::string registry_;
  std::vector<std::unique_ptr<demo::Child>> children_;
};

void ExpectTheCause(const EngineClient& engine, RoomHandle room) {
  ASSERT_TRUE(Eventually([&] { return IsTerminal(engine.Poll(room)); }));
  EXPECT_EQ(engine.Poll(room).phase, RoomPhase::kFailed);
  const absl::Status cause = engine.Cause(room);
  EXPECT_EQ(ReasonOf(cause), Reason::kAborted) << cause;
  EXPECT_THAT(std::string(cause.message()), HasSubstr("the client went away"));
  EXPECT_TRUE(Eventually([&] { return engine.Poll(room).released; })) << "its pages are free";
}

TEST_F(WholeAbort, BothEnginesOfALiveRoomSeeTheCauseThatTheRouterGave) {
  const UniqueFd source_pool = *CreateSealedMemfd("source", attach::kSmallPoolBytes);
  const UniqueFd target_pool = *CreateSealedMemfd("target", attach::kSmallPoolBytes);
  auto source = Engine("prefill", Role::kPrefill, source_pool);
  auto target = Engine("decode", Role::kDecode, target_pool);
  ASSERT_TRUE(source && target);
  RouterOptions options;
  options.bootstrap_address = registry_;
  auto router = MakeRouterClient(options);
  PickRequest pick;
  pick.model = kModel;
  auto route = router->PickWithin(pick, kLong);
  ASSERT_TRUE(route.ok()) << route.status() << Logs();

  const std::vector<int32_t> pages = {5, 9};
  auto receive = target->OpenReceive({.room = route->room,
                                      .prefill_server = route->prefill.server->name(),
                                      .prefill_dp = route->prefill.dp,
                                      .total_tokens = kTokens,
                                      .pages = {pages},
                                      .time_left = std::chrono::hours(1)});
  ASSERT_TRUE(receive.ok()) << receive.status();
  auto send = source->OpenSend(
      {.room = route->room, .total_tokens = kTokens, .time_left = std::chrono::hours(1)});
  ASSERT_TRUE(send.ok()) << send.status();
  // Both agents have the room, and it waits for a Send that never comes.
  ASSERT_TRUE(Eventually([&] { return source->Poll(*send).phase == RoomPhase::kOffered; }))
      << source->Cause(*send) << target->Cause(*receive) << Logs();
  ASSERT_FALSE(IsTerminal(target->Poll(*receive)));

  std::atomic<bool> told{false};
  router->Abort(*route, "the client went away", [&](const absl::Status& status) {
    EXPECT_TRUE(status.ok()) << status;
    told = true;
  });
  ExpectTheCause(*source, *send);
  ExpectTheCause(*target, *receive);
  EXPECT_TRUE(Eventually([&] { return told.load(); }));

  source->Close(*send);
  target->Close(*receive);
}

}  // namespace
}  // namespace baton
