#include "transfer_agent/transport/conformance/world.h"

#include <poll.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/log.h"

namespace baton::transport {
namespace {

constexpr std::chrono::seconds kPatience{30};

planner::PairPlan MakePlan(const TestPool& source, const TestPool& target) {
  const RankCoord coord{0, 0, 0, 0};
  absl::StatusOr<planner::PairPlan> plan =
      planner::PlanPair(source.Spec(), coord, source.Layout(), target.Spec(), coord,
                        target.Layout(), planner::RoutePolicy{});
  CHECK(plan.ok()) << plan.status();
  return *std::move(plan);
}

}  // namespace

Node::Node(const Candidate& candidate, const PoolShape& shape, bool checksums, bool target)
    : pool(shape) {
  absl::StatusOr<std::unique_ptr<Transport>> created = candidate.create(checksums);
  CHECK(created.ok()) << created.status();
  transport = *std::move(created);
  std::vector<LocalRegion> regions = pool.regions();
  for (LocalRegion& region : regions) {
    region.target = target;
    region.dma_buf = candidate.gpu;
    region.ordered_writes = candidate.ordered_writes;
    if (candidate.gpu) region.base = nullptr;
    pool.AddTwin(candidate.move ? candidate.move(&region) : nullptr);
  }
  absl::StatusOr<ExportedMemory> exported = transport->ExportMemory(regions);
  CHECK(exported.ok()) << exported.status();
  memory = exported->id;
  key = exported->key;
}

World::World(const Candidate& candidate, const PoolShape& source_shape,
             const PoolShape& target_shape, bool checksums)
    : source(candidate, source_shape, checksums, /*target=*/false),
      target(candidate, target_shape, checksums),
      plan(MakePlan(source.pool, target.pool)) {
  absl::StatusOr<RemoteMemoryId> imported = source.transport->ImportMemory(kTarget, target.key);
  CHECK(imported.ok()) << imported.status();
  remote = *imported;
  source.pool.FillPattern(42);
  target.pool.FillCanary();
  for (uint32_t p = 0; p < target_shape.pages; ++p) free_target_pages_.push_back(p);
}

ChannelPair World::Connect() {
  absl::StatusOr<OpenedChannel> opened = source.transport->Open(kTarget);
  CHECK(opened.ok()) << opened.status();
  absl::StatusOr<OpenedChannel> accepted = target.transport->Accept(kSource, opened->data);
  CHECK(accepted.ok()) << accepted.status();
  absl::Status completed = source.transport->Complete(opened->id, accepted->data);
  CHECK(completed.ok()) << completed;
  const ChannelPair pair{opened->id, accepted->id};
  CHECK(Drive(
      [&] { return source.recorder.is_up(pair.source) && target.recorder.is_up(pair.target); }));
  return pair;
}

Room& World::AddRoom(std::unique_ptr<Room> room) {
  room->source_side.pages = {absl::MakeConstSpan(room->source_pages)};
  room->target_side.pages = {absl::MakeConstSpan(room->target_pages)};
  room->target_side.first_token = room->tokens.prefix;
  rooms_.push_back(std::move(room));
  return *rooms_.back();
}

Room& World::NewRoom(uint32_t tokens, uint32_t prefix) {
  auto room = std::make_unique<Room>();
  room->offer = {.slot = static_cast<uint16_t>(rooms_.size() + 1), .generation = 3};
  room->tokens = {.total = tokens, .prefix = prefix};
  const auto next = [this](uint32_t n) {
    random_ = random_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<uint32_t>((random_ >> 33) % n);
  };
  const uint32_t source_size = source.pool.shape().page_tokens;
  const uint32_t target_size = target.pool.shape().page_tokens;
  for (uint32_t t = 0; t < tokens; t += source_size) {
    room->source_pages.push_back(next(source.pool.shape().pages));
  }
  for (uint32_t t = prefix / target_size * target_size; t < tokens; t += target_size) {
    CHECK(!free_target_pages_.empty()) << "the target pool is used up";
    const uint32_t at = next(free_target_pages_.size());
    room->target_pages.push_back(free_target_pages_[at]);
    free_target_pages_.erase(free_target_pages_.begin() + at);
  }
  return AddRoom(std::move(room));
}

Window World::WindowOf(const Room& room, bool checksums) const {
  return {.peer = kSource,
          .offer = room.offer,
          .memory = target.memory,
          .plan = &plan,
          .tokens = room.tokens,
          .pages = room.target_side,
          .checksums = checksums};
}

Segment World::SegmentOf(const Room& room, uint32_t begin, uint32_t end, bool close) {
  Segment segment;
  segment.offer = room.offer;
  segment.memory = source.memory;
  segment.remote = remote;
  segment.tokens = room.tokens;
  segment.chunk = {.token_begin = begin, .token_end = end, .last = end == room.tokens.total};
  segment.cursor =
      planner::Cursor(&plan, room.tokens, segment.chunk, &room.source_side, &room.target_side);
  segment.close_part = close;
  segment.cookie = next_cookie++;
  return segment;
}

uint64_t World::Send(ChannelId channel, const Room& room) {
  Segment segment = SegmentOf(room, room.tokens.prefix, room.tokens.total, true);
  const uint64_t cookie = segment.cookie;
  CHECK(source.transport->Submit(channel, std::move(segment)) == Submitted::kAccepted);
  return cookie;
}

bool World::PollBoth() {
  const bool source_had_work = source.recorder.Poll(source.transport.get());
  return target.recorder.Poll(target.transport.get()) || source_had_work;
}

bool World::Drive(const std::function<bool()>& condition) {
  const TimePoint deadline = Monotonic::now() + kPatience;
  while (!condition()) {
    if (Monotonic::now() > deadline) return false;
    const bool worked = PollBoth();
    if (worked || condition()) continue;
    if (!source.transport->PrepareToSleep() || !target.transport->PrepareToSleep()) continue;
    pollfd fds[2] = {{.fd = source.transport->wait_fd(), .events = POLLIN, .revents = 0},
                     {.fd = target.transport->wait_fd(), .events = POLLIN, .revents = 0}};
    poll(fds, 2, 1000);
  }
  return true;
}

bool World::DriveOne(Node* node, const std::function<bool()>& condition) {
  const TimePoint deadline = Monotonic::now() + kPatience;
  while (!condition()) {
    if (Monotonic::now() > deadline) return false;
    if (node->recorder.Poll(node->transport.get()) || !node->transport->PrepareToSleep()) continue;
    pollfd fd{.fd = node->transport->wait_fd(), .events = POLLIN, .revents = 0};
    if (!condition()) poll(&fd, 1, 100);
  }
  return true;
}

void World::Settle() {
  for (int idle = 0; idle < 20;) {
    const bool worked = PollBoth();
    idle = worked ? 0 : idle + 1;
    if (worked) continue;
    pollfd fds[2] = {{.fd = source.transport->wait_fd(), .events = POLLIN, .revents = 0},
                     {.fd = target.transport->wait_fd(), .events = POLLIN, .revents = 0}};
    poll(fds, 2, 2);
  }
}

uint64_t World::BytesLanded() const {
  return checked_by_target() ? target.transport->counters().bytes_landed
                             : source.transport->counters().bytes_sent;
}

void World::FenceTogether(ChannelId channel, const Room& room, uint64_t cookie) {
  target.transport->Fence(kSource, room.offer);
  if (checked_by_target()) return;
  source.transport->Cancel(channel, room.offer);
  // A cancelled segment is done when nothing of it is under way.
  CHECK(Drive([&] { return source.recorder.done.contains(cookie); }));
  target.transport->FenceDrained(kSource, room.offer);
}

bool World::HasPart(const Room& room, uint32_t part) const {
  return target.recorder.parts.contains({kSource, room.offer, part});
}

bool World::IsFenced(const Room& room) const {
  return target.recorder.fenced.contains({kSource, room.offer});
}

int64_t World::FirstMismatch(const Room& room) const {
  target.pool.Fetch();
  const PoolShape& from = source.pool.shape();
  const PoolShape& to = target.pool.shape();
  const uint64_t first = room.tokens.prefix / to.page_tokens * to.page_tokens;
  for (uint32_t l = 0; l < to.layers; ++l) {
    for (uint64_t t = room.tokens.prefix; t < room.tokens.total; ++t) {
      const std::byte* have = target.pool.Page(l, room.target_pages[(t - first) / to.page_tokens]) +
                              t % to.page_tokens * to.token_bytes;
      const std::byte* want = source.pool.Page(l, room.source_pages[t / from.page_tokens]) +
                              t % from.page_tokens * from.token_bytes;
      if (std::memcmp(have, want, to.token_bytes) != 0) return static_cast<int64_t>(t);
    }
  }
  return -1;
}

}  // namespace baton::transport
