// Baton's side of the latency that `make bench-rdma` reports: from Submit of the smallest part to
// its completion at the source, between two guests.
//
//   verbs_latency --listen=10.77.0.2:7100        the target
//   verbs_latency --to=10.77.0.2:7100            the source: prints "baton MEDIAN_US MIN_US P99_US"
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/rdma/side.h"
#include "bench/rdma/talk.h"
#include "common/config/config.h"
#include "common/log.h"
#include "planner/cursor.h"
#include "planner/plan.h"
#include "transfer_agent/transport/verbs/factory.h"

namespace baton::bench {
namespace {

using transport::OfferId;
using transport::PeerId;
using transport::TestPool;

constexpr PeerId kPeer{1};
constexpr uint16_t kParts = 1000;
constexpr uint16_t kWarm = 100;
// Between two system calls of a side that spins.
constexpr int kPolls = 1000;
constexpr transport::PoolShape kShape{
    .layers = 1, .page_tokens = 1, .token_bytes = 64, .pages = 64, .gap_bytes = 0};

// What both sides work out alone: a room of one page of 64 bytes.
struct Room {
  explicit Room(const TestPool& pool) {
    tokens.total = 1;
    side.pages = {absl::MakeConstSpan(page)};
    auto made =
        planner::PlanPair(pool.Spec(), {}, pool.Layout(), pool.Spec(), {}, pool.Layout(), {});
    CHECK(made.ok()) << made.status();
    plan = *std::move(made);
  }
  const std::vector<int32_t> page = {3};
  planner::SidePages side;
  planner::RoomTokens tokens;
  planner::PairPlan plan;
};

std::unique_ptr<transport::Transport> Create(const std::string& device) {
  transport::verbs::VerbsOptions options;
  options.wishes.devices = {device};
  auto made = transport::CreateVerbsTransport(options);
  CHECK(made.ok()) << made.status();
  return *std::move(made);
}

void BeTarget(const std::string& address, Side* side, const Room& room) {
  auto listener = demo::ListenOn(address);
  CHECK(listener.ok()) << listener.status();
  UniqueFd peer(accept(listener->get(), nullptr, nullptr));
  demo::SetTimeouts(peer.get());
  auto accepted = side->transport->Accept(kPeer, Hear(peer.get()));
  CHECK(accepted.ok()) << accepted.status();
  for (uint16_t i = 0; i < kParts; ++i) {
    CHECK(side->transport
              ->OpenWindow({.peer = kPeer,
                            .offer = {.slot = i, .generation = 1},
                            .memory = side->memory.id,
                            .plan = &room.plan,
                            .tokens = room.tokens,
                            .pages = room.side})
              .ok());
  }
  Say(peer.get(), accepted->data);
  Say(peer.get(), side->memory.key);
  // As ib_write_lat's two sides do: a sleeper's system calls would delay the answers of its kernel.
  side->SpinUntil([&] { return side->parts == kParts; }, kPolls);
  Say(peer.get(), "landed");
  Hear(peer.get());
}

void BeSource(const std::string& address, Side* side, const Room& room) {
  auto peer = demo::DialHost(address);
  CHECK(peer.ok()) << peer.status();
  auto opened = side->transport->Open(kPeer);
  CHECK(opened.ok()) << opened.status();
  Say(peer->get(), opened->data);
  CHECK(side->transport->Complete(opened->id, Hear(peer->get())).ok());
  auto remote = side->transport->ImportMemory(kPeer, Hear(peer->get()));
  CHECK(remote.ok()) << remote.status();
  side->SpinUntil([&] { return side->up; });
  std::vector<uint64_t> ticks;
  const TickRate rate;
  for (uint16_t i = 0; i < kParts; ++i) {
    transport::Segment segment;
    segment.offer = {.slot = i, .generation = 1};
    segment.memory = side->memory.id;
    segment.remote = *remote;
    segment.tokens = room.tokens;
    segment.chunk = {.token_begin = 0, .token_end = 1, .last = true};
    segment.close_part = true;
    segment.cursor =
        planner::Cursor(&room.plan, room.tokens, segment.chunk, &room.side, &room.side);
    const uint64_t submitted = Ticks();
    CHECK(side->transport->Submit(opened->id, std::move(segment)) ==
          transport::Submitted::kAccepted);
    side->SpinUntil([&] { return side->segments_done == i + 1u; }, kPolls);
    if (i >= kWarm) ticks.push_back(Ticks() - submitted);
  }
  const double ticks_per_us = rate.PerMicrosecond();
  CHECK_EQ(Hear(peer->get()), "landed");
  std::sort(ticks.begin(), ticks.end());
  const auto us = [&](size_t at) { return ticks[at] / ticks_per_us; };
  std::printf("baton %.1f %.1f %.1f\n", us(ticks.size() / 2), us(0), us(ticks.size() * 99 / 100));
  Say(peer->get(), "done");
}

int Main(int argc, char** argv) {
  std::string listen, to, device = "rxe0";
  ConfigTable table("verbs_latency", "The smallest part between two hosts.");
  table.Text("listen", &listen, "host:port", "Be the target.");
  table.Text("to", &to, "host:port", "Be the source.");
  table.Text("device", &device, "name", "The one rail.");
  table.ParseOrExit(argc, argv);
  TestPool pool(kShape);
  pool.FillPattern(1);
  const Room room(pool);
  Side side(Create(device), pool);
  to.empty() ? BeTarget(listen, &side, room) : BeSource(to, &side, room);
  return 0;
}

}  // namespace
}  // namespace baton::bench

int main(int argc, char** argv) {
  baton::InitLog(argv[0]);
  return baton::bench::Main(argc, argv);
}
