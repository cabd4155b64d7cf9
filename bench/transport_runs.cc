#include "bench/transport_runs.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <tuple>
#include <vector>

#include "common/clock.h"
#include "common/log.h"
#include "common/unique_fd.h"
#include "planner/cursor.h"
#include "planner/plan.h"
#include "transfer_agent/transport/conformance/test_pool.h"
#include "transfer_agent/transport/shm/factory.h"
#include "transfer_agent/transport/tcp/factory.h"

namespace baton::bench {
namespace {

using transport::ChannelId;
using transport::LocalRegion;
using transport::MemoryId;
using transport::OfferId;
using transport::PeerId;
using transport::PoolShape;
using transport::Segment;
using transport::Submitted;
using transport::TestPool;
using transport::Transport;

constexpr uint64_t kPoolBytes = 256 << 20;

// Both pools for pages of one size, filled once.
struct Pools {
  explicit Pools(uint32_t page_bytes)
      : shape{.layers = 1,
              .page_tokens = 1,
              .token_bytes = page_bytes,
              .pages = static_cast<uint32_t>(kPoolBytes / page_bytes),
              .gap_bytes = 0},
        source(shape),
        target(shape) {
    source.FillPattern(1);
    target.FillCanary();
  }
  PoolShape shape;
  TestPool source;
  TestPool target;
};

Pools& PoolsOf(uint32_t page_bytes) {
  static std::map<uint32_t, std::unique_ptr<Pools>> pools;
  std::unique_ptr<Pools>& found = pools[page_bytes];
  if (found == nullptr) found = std::make_unique<Pools>(page_bytes);
  return *found;
}

double Rate(uint64_t bytes, TimePoint begin) {
  return bytes / std::chrono::duration<double>(Monotonic::now() - begin).count();
}

// A connected pair of loopback sockets.
std::pair<UniqueFd, UniqueFd> Connected() {
  UniqueFd listener(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  CHECK_EQ(bind(listener.get(), generic, size), 0);
  CHECK_EQ(listen(listener.get(), 1), 0);
  CHECK_EQ(getsockname(listener.get(), generic, &size), 0);
  UniqueFd out(socket(AF_INET, SOCK_STREAM, 0));
  CHECK_EQ(connect(out.get(), generic, size), 0);
  UniqueFd in(accept(listener.get(), nullptr, nullptr));
  const int one = 1;
  setsockopt(out.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  return {std::move(out), std::move(in)};
}

// The room of a run: all pages of both pools, again and again.
struct Load {
  Load(const Pools& pools, Order order, uint64_t bytes) {
    const uint32_t pages = pools.shape.pages;
    std::vector<int32_t> from(pages), to(pages);
    for (uint32_t p = 0; p < pages; ++p) from[p] = to[p] = static_cast<int32_t>(p);
    if (order == Order::kScattered) {
      std::mt19937 random(7);
      std::shuffle(from.begin(), from.end(), random);
      std::shuffle(to.begin(), to.end(), random);
    }
    const uint64_t total = bytes / pools.shape.token_bytes;
    for (uint64_t i = 0; i < total; ++i) {
      source_pages.push_back(from[i % pages]);
      target_pages.push_back(to[i % pages]);
    }
    tokens.total = total;
    source_side.pages = {absl::MakeConstSpan(source_pages)};
    target_side.pages = {absl::MakeConstSpan(target_pages)};
    auto made = planner::PlanPair(pools.source.Spec(), {}, pools.source.Layout(),
                                  pools.target.Spec(), {}, pools.target.Layout(), {});
    CHECK(made.ok()) << made.status();
    plan = *std::move(made);
  }
  std::vector<int32_t> source_pages, target_pages;
  planner::SidePages source_side, target_side;
  planner::RoomTokens tokens;
  planner::PairPlan plan;
};

class Worker : public transport::Events {
 public:
  Worker(Kind kind, const TestPool& pool) : transport_(Create(kind)) {
    const LocalRegion region = pool.region();
    auto exported = transport_->ExportMemory({&region, 1});
    CHECK(exported.ok()) << exported.status();
    memory = exported->id;
  }

  void OnChannelUp(ChannelId) override { up = true; }
  void OnChannelDown(ChannelId, const absl::Status& cause) override { LOG(FATAL) << cause; }
  void OnSegmentDone(uint64_t, const absl::Status& status) override {
    CHECK(status.ok()) << status;
    ++segments_done;
  }
  void OnPart(ChannelId, PeerId, OfferId, uint32_t, uint64_t bytes) override { landed = bytes; }
  void OnWindowBroken(PeerId, OfferId, const absl::Status& cause) override { LOG(FATAL) << cause; }
  void OnFenced(PeerId, OfferId) override {}

  Transport* operator->() { return transport_.get(); }

  // As an agent's worker does it: polls while there is work, sleeps when there has been none.
  template <typename Condition>
  void RunUntil(Condition condition) {
    int idle = 0;
    while (!condition()) {
      idle = transport_->Poll(Monotonic::now(), this) ? 0 : idle + 1;
      if (idle < 20 || condition() || !transport_->PrepareToSleep()) continue;
      pollfd fd{.fd = transport_->wait_fd(), .events = POLLIN, .revents = 0};
      poll(&fd, 1, 1000);
      idle = 0;
    }
  }

  MemoryId memory;
  bool up = false;
  uint64_t segments_done = 0;
  uint64_t landed = 0;

 private:
  static std::unique_ptr<Transport> Create(Kind kind) {
    auto made = kind == Kind::kShm
                    ? transport::CreateShmTransport({})
                    : transport::CreateTcpTransport({.checksums = kind == Kind::kTcpChecked});
    CHECK(made.ok()) << made.status();
    return *std::move(made);
  }
  std::unique_ptr<Transport> transport_;
};

constexpr PeerId kPeer{1};

ChannelId Connect(Worker* source, Worker* target) {
  auto opened = (*source)->Open(kPeer);
  CHECK(opened.ok()) << opened.status();
  auto accepted = (*target)->Accept(kPeer, opened->data);
  CHECK(accepted.ok()) << accepted.status();
  CHECK((*source)->Complete(opened->id, accepted->data).ok());
  while (!source->up || !target->up) {
    (*source)->Poll(Monotonic::now(), source);
    (*target)->Poll(Monotonic::now(), target);
  }
  return opened->id;
}

// Chunks of 64 MiB, as prefill steps would finish them.
void SubmitAll(Worker* source, ChannelId channel, OfferId offer, const Load& load,
               uint64_t chunk_tokens) {
  const uint64_t before = source->segments_done;
  uint64_t submitted = 0;
  for (uint64_t begin = 0; begin < load.tokens.total; begin += chunk_tokens) {
    Segment segment;
    segment.offer = offer;
    segment.memory = source->memory;
    segment.tokens = load.tokens;
    const uint64_t end = std::min(begin + chunk_tokens, load.tokens.total);
    segment.chunk = {.token_begin = begin, .token_end = end, .last = end == load.tokens.total};
    segment.close_part = segment.chunk.last;
    segment.cursor = planner::Cursor(&load.plan, load.tokens, segment.chunk, &load.source_side,
                                     &load.target_side);
    CHECK((*source)->Submit(channel, std::move(segment)) == Submitted::kAccepted);
    ++submitted;
    source->RunUntil([&] { return before + submitted - source->segments_done <= 4; });
  }
  source->RunUntil([&] { return source->segments_done == before + submitted; });
}

// Two workers with a channel that stays, as between two agents.
struct Rig {
  Rig(Kind kind, Pools* pools)
      : source(kind, pools->source),
        target(kind, pools->target),
        channel(Connect(&source, &target)) {}
  Worker source;
  Worker target;
  const ChannelId channel;
  uint16_t generation = 0;
};

// A second target of the rig's source that takes nothing, with as much before it as may wait.
struct Stopped {
  Stopped(Rig* rig, Kind kind, Pools* pools)
      : target(kind, pools->target), load(*pools, Order::kScattered, kPoolBytes) {
    const ChannelId channel = Connect(&rig->source, &target);
    Segment segment;
    do {
      segment = {};
      segment.offer = {.slot = 2, .generation = 1};
      segment.memory = rig->source.memory;
      segment.tokens = load.tokens;
      segment.chunk = {.token_begin = 0, .token_end = load.tokens.total, .last = true};
      segment.cursor = planner::Cursor(&load.plan, load.tokens, segment.chunk, &load.source_side,
                                       &load.target_side);
    } while (rig->source->Submit(channel, std::move(segment)) == Submitted::kAccepted);
  }
  Worker target;
  const Load load;
};

struct RigAndStopped {
  std::unique_ptr<Stopped> stopped;
  std::unique_ptr<Rig> rig;  // its source reads what `stopped` lent until it is gone
};

Rig& RigOf(Kind kind, uint32_t page_bytes, bool beside_a_stopped_target) {
  static std::map<std::tuple<Kind, uint32_t, bool>, RigAndStopped> rigs;
  RigAndStopped& found = rigs[{kind, page_bytes, beside_a_stopped_target}];
  if (found.rig != nullptr) return *found.rig;
  Pools& pools = PoolsOf(page_bytes);
  found.rig = std::make_unique<Rig>(kind, &pools);
  if (beside_a_stopped_target) {
    found.stopped = std::make_unique<Stopped>(found.rig.get(), kind, &pools);
  }
  return *found.rig;
}

}  // namespace

double RawSocketRate(uint32_t size, uint64_t bytes) {
  Pools& pools = PoolsOf(size);
  static std::map<uint32_t, std::pair<UniqueFd, UniqueFd>> connections;
  auto [at, fresh] = connections.try_emplace(size);
  if (fresh) at->second = Connected();
  const int out = at->second.first.get();
  const int in = at->second.second.get();
  const uint64_t steps = bytes / size;
  const TimePoint begin = Monotonic::now();
  std::thread writer([&, fd = out] {
    for (uint64_t i = 0; i < steps; ++i) {
      const std::byte* page = pools.source.Page(0, i % pools.shape.pages);
      for (size_t done = 0; done < size;) {
        const ssize_t n = write(fd, page + done, size - done);
        CHECK_GT(n, 0);
        done += n;
      }
    }
  });
  for (uint64_t i = 0; i < steps; ++i) {
    std::byte* page = pools.target.Page(0, i % pools.shape.pages);
    for (size_t done = 0; done < size;) {
      const ssize_t n = read(in, page + done, size - done);
      CHECK_GT(n, 0);
      done += n;
    }
  }
  const double rate = Rate(bytes, begin);
  writer.join();
  return rate;
}

double MemcpyRate(uint32_t size, Order order, uint64_t bytes) {
  Pools& pools = PoolsOf(size);
  const Load load(pools, order, bytes);
  const TimePoint begin = Monotonic::now();
  for (uint64_t i = 0; i < load.tokens.total; ++i) {
    std::memcpy(pools.target.Page(0, load.target_pages[i]),
                pools.source.Page(0, load.source_pages[i]), size);
  }
  return Rate(bytes, begin);
}

double TransportRate(Kind kind, uint32_t page_bytes, Order order, uint64_t bytes,
                     bool beside_a_stopped_target) {
  Pools& pools = PoolsOf(page_bytes);
  const Load load(pools, order, bytes);
  Rig& rig = RigOf(kind, page_bytes, beside_a_stopped_target);
  const OfferId offer{.slot = 1, .generation = ++rig.generation};
  CHECK(rig.target
            ->OpenWindow({.peer = kPeer,
                          .offer = offer,
                          .memory = rig.target.memory,
                          .plan = &load.plan,
                          .tokens = load.tokens,
                          .pages = load.target_side})
            .ok());
  rig.target.landed = 0;
  const TimePoint begin = Monotonic::now();
  std::thread sender(
      [&] { SubmitAll(&rig.source, rig.channel, offer, load, (64 << 20) / page_bytes); });
  rig.target.RunUntil([&] { return rig.target.landed > 0; });
  const double rate = Rate(bytes, begin);
  sender.join();
  CHECK_EQ(rig.target.landed, bytes);
  rig.target->Fence(kPeer, offer);
  return rate;
}

}  // namespace baton::bench
