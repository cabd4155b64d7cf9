// From one engine's Send to another's Poll that says done, between two guests: the smallest room
// over two real agents as they run by default. Part of the latency that `make bench-rdma` reports.
//
//   engine_latency --listen=10.77.0.2:7300     the decode engine
//   engine_latency --to=10.77.0.2:7300         the prefill engine: prints
//                                              "engines MEDIAN_US MIN_US P99_US"
//
// Times of two kernels are compared by the processor's counter. They count only if that is one
// clock for both: its rate is the same in either guest, what one guest reads lies between what the
// other reads as it asks and as it hears, and no room landed before it was sent. Otherwise no
// figure is printed, but why.
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "bench/cluster.h"
#include "bench/rdma/talk.h"
#include "client/engine/engine_client.h"
#include "common/config/config.h"
#include "transfer_agent/transport/conformance/test_pool.h"

namespace baton::bench {
namespace {

using transport::TestPool;

constexpr uint32_t kRooms = 300;
constexpr uint32_t kWarm = 50;
constexpr int kQuestions = 50;
// Between two system calls of an engine that waits.
constexpr int kPolls = 100;
constexpr auto kTimeLeft = std::chrono::seconds(30);
constexpr transport::PoolShape kShape{
    .layers = 1, .page_tokens = 1, .token_bytes = 64, .pages = kRooms, .gap_bytes = 0};

std::unique_ptr<EngineClient> Attach(const std::string& socket, Role role, const TestPool& pool) {
  EngineOptions options;
  options.agent_socket = socket;
  options.server = role == Role::kPrefill ? "prefill" : "decode";
  options.launch_id = "bench";
  options.role = role;
  options.spec = pool.Spec();
  options.layout = pool.Layout();
  options.regions = {{"pool", pool.region().fd, pool.size(), false}};
  auto client = EngineClient::Attach(options);
  CHECK(client.ok()) << client.status();
  return *std::move(client);
}

std::vector<std::string> AgentFlags(const std::string& host) {
  return {"--transport=verbs", "--verbs_devices=rxe0", absl::StrCat("--listen=", host, ":0")};
}

// Engine and agent share the guest's one CPU: who waits lets the other run.
void Await(const EngineClient& engine, RoomHandle room, RoomPhase phase) {
  const TimePoint deadline = Monotonic::now() + kTimeLeft;
  while (true) {
    for (int i = 0; i < kPolls; ++i) {
      const RoomStatus status = engine.Poll(room);
      if (status.phase == phase) return;
      CHECK(!IsTerminal(status)) << engine.Cause(room);
    }
    CHECK(Monotonic::now() < deadline) << "a room has not moved on for 30 s";
    sched_yield();
  }
}

std::string BytesOf(const std::vector<uint64_t>& ticks) {
  return {reinterpret_cast<const char*>(ticks.data()), ticks.size() * sizeof(uint64_t)};
}

std::vector<uint64_t> TicksOf(const std::string& bytes) {
  std::vector<uint64_t> ticks(bytes.size() / sizeof(uint64_t));
  std::memcpy(ticks.data(), bytes.data(), ticks.size() * sizeof(uint64_t));
  return ticks;
}

void BeDecode(const std::string& address, Cluster* cluster) {
  auto listener = demo::ListenOn(address);
  CHECK(listener.ok()) << listener.status();
  UniqueFd peer(accept(listener->get(), nullptr, nullptr));
  demo::SetTimeouts(peer.get());
  cluster->RunAgent("d", Hear(peer.get()), AgentFlags(address.substr(0, address.rfind(':'))));
  const TestPool pool(kShape);
  auto engine = Attach(cluster->AttachSocket("d"), Role::kDecode, pool);
  const TickRate rate;
  std::vector<RoomHandle> rooms;
  for (int32_t i = 0; i < static_cast<int32_t>(kRooms); ++i) {
    ReceiveRoom room;
    room.room = {static_cast<uint64_t>(i), 1};
    room.prefill_server = "prefill";
    room.prefill_dp = 0;
    room.total_tokens = 1;
    room.pages = {absl::MakeConstSpan(&i, 1)};
    room.time_left = kTimeLeft;
    auto opened = engine->OpenReceive(room);
    CHECK(opened.ok()) << opened.status();
    rooms.push_back(*opened);
  }
  for (int i = 0; i < kQuestions; ++i) {
    Hear(peer.get());
    Say(peer.get(), BytesOf({Ticks()}));
  }
  std::vector<uint64_t> landed;
  for (const RoomHandle room : rooms) {
    Await(*engine, room, RoomPhase::kDone);
    landed.push_back(Ticks());
  }
  Say(peer.get(), BytesOf(landed));
  Say(peer.get(), absl::StrCat(rate.PerMicrosecond()));
  Hear(peer.get());
}

struct Times {
  std::vector<uint64_t> sent;
  std::vector<uint64_t> landed;  // at the other engine
  double rate = 0;               // ticks a microsecond, here and there
  double rate_there = 0;
  bool answers_in_order = true;
};

// Whether the other guest's counter reads what this one's does, give or take a question's time.
bool AskForTicks(int peer) {
  bool in_order = true;
  for (int i = 0; i < kQuestions; ++i) {
    const uint64_t asked = Ticks();
    Say(peer, "ticks");
    const std::vector<uint64_t> answer = TicksOf(Hear(peer));
    in_order &= answer.size() == 1 && asked <= answer[0] && answer[0] <= Ticks();
  }
  return in_order;
}

// Why these are no times of one clock; empty when they are.
std::string Implausible(const Times& times) {
  if (times.landed.size() != times.sent.size()) return "some rooms have no time of landing";
  if (!times.answers_in_order) return "the guests' counters are not one clock";
  if (std::abs(times.rate / times.rate_there - 1) > 0.01) {
    return absl::StrCat("the counter's rate is ", times.rate, " a us in one guest and ",
                        times.rate_there, " in the other");
  }
  for (size_t i = 0; i < times.sent.size(); ++i) {
    if (times.landed[i] < times.sent[i]) return absl::StrCat("room ", i, " landed before its Send");
  }
  return "";
}

void Print(const Times& times) {
  if (const std::string why = Implausible(times); !why.empty()) {
    std::printf("engines discarded: %s\n", why.c_str());
    return;
  }
  std::vector<double> us;
  for (size_t i = kWarm; i < times.sent.size(); ++i) {
    us.push_back(static_cast<double>(times.landed[i] - times.sent[i]) / times.rate);
  }
  std::sort(us.begin(), us.end());
  std::printf("engines %.1f %.1f %.1f\n", us[us.size() / 2], us[0], us[us.size() * 99 / 100]);
}

void BePrefill(const std::string& address, const std::string& host, Cluster* cluster) {
  const std::string bootstrap = cluster->RunBootstrap(absl::StrCat(host, ":0"));
  cluster->RunAgent("p", bootstrap, AgentFlags(host));
  TestPool pool(kShape);
  pool.FillPattern(1);
  auto engine = Attach(cluster->AttachSocket("p"), Role::kPrefill, pool);
  auto peer = demo::DialHost(address);
  CHECK(peer.ok()) << peer.status();
  Say(peer->get(), bootstrap);
  const TickRate rate;
  std::vector<RoomHandle> rooms;
  for (uint64_t i = 0; i < kRooms; ++i) {
    auto opened = engine->OpenSend({.room = {i, 1}, .total_tokens = 1, .time_left = kTimeLeft});
    CHECK(opened.ok()) << opened.status();
    rooms.push_back(*opened);
  }
  for (const RoomHandle room : rooms) Await(*engine, room, RoomPhase::kOffered);
  Times times;
  times.answers_in_order = AskForTicks(peer->get());
  for (int32_t i = 0; i < static_cast<int32_t>(kRooms); ++i) {
    Chunk chunk;
    chunk.token_end = 1;
    chunk.is_last_chunk = true;
    chunk.pages = {absl::MakeConstSpan(&i, 1)};
    times.sent.push_back(Ticks());
    const absl::Status sent = engine->Send(rooms[i], chunk);
    CHECK(sent.ok()) << sent;
    Await(*engine, rooms[i], RoomPhase::kDone);
  }
  times.rate = rate.PerMicrosecond();
  times.landed = TicksOf(Hear(peer->get()));
  CHECK(absl::SimpleAtod(Hear(peer->get()), &times.rate_there));
  Print(times);
  Say(peer->get(), "done");
}

int Main(int argc, char** argv) {
  std::string listen, to, host = "10.77.0.1";
  ConfigTable table("engine_latency", "The smallest room between two hosts.");
  table.Text("listen", &listen, "host:port", "Be the decode engine.");
  table.Text("to", &to, "host:port", "Be the prefill engine.");
  table.Text("host", &host, "address", "Of the prefill engine's host.");
  table.ParseOrExit(argc, argv);
  Cluster cluster(argv[0]);
  to.empty() ? BeDecode(listen, &cluster) : BePrefill(to, host, &cluster);
  return 0;
}

}  // namespace
}  // namespace baton::bench

int main(int argc, char** argv) {
  baton::InitLog(argv[0]);
  return baton::bench::Main(argc, argv);
}
