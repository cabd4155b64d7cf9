#include "transfer_agent/transport/cuda/puller.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::transport::cuda {
namespace {

constexpr size_t kFlightsMax = 2;
// A launch is over in a tenth of a millisecond or so; what is asked for meanwhile waits that long.
constexpr uint64_t kLaunchBytesMax = 64 << 20;
// Of one chunk at first, and then as much as was launched before: what comes right behind a large
// room finds the GPU not full of it.
constexpr uint64_t kFirstBytes = 4 << 20;
// What each pull gets of a launch that many share.
constexpr uint64_t kShareBytesMin = 1 << 20;
// Of chunks up to here items and lists are read over the bus where they are, which is quicker than
// a copy ahead of the kernel. Those of others are copied to the GPU first: every group reads them.
constexpr uint64_t kReadInPlaceMax = 1 << 20;
constexpr uint32_t kThreads = 512;
// Looking up a group takes a warp some round trips to memory. With few warps groups are larger, so
// that these weigh little; with many they are smaller, so that all end together.
constexpr uint32_t kGroupsPerWarp = 8;
constexpr uint32_t kGroupBytesMin = 8 << 10;
constexpr uint32_t kGroupBytesMax = 32 << 10;

uint32_t GroupBytes(uint32_t blocks) {
  const uint64_t warps = uint64_t{blocks} * kThreads / 32;
  const uint64_t bytes = kLaunchBytesMax / std::max<uint64_t>(1, warps * kGroupsPerWarp);
  return static_cast<uint32_t>(std::clamp<uint64_t>(bytes, kGroupBytesMin, kGroupBytesMax));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Puller>> Puller::Create(const Gpu* gpu, uint32_t blocks) {
  std::unique_ptr<Puller> puller(new Puller(gpu, blocks));
  absl::StatusOr<std::unique_ptr<Arena>> arena = Arena::Create(gpu);
  if (!arena.ok()) return arena.status();
  puller->arena_ = *std::move(arena);
  return puller;
}

Puller::~Puller() {
  (void)gpu_->MakeCurrent();
  const Driver& d = gpu_->driver();
  d.stream_synchronize(gpu_->stream());
  for (const Flight& flight : flights_) d.event_destroy(flight.event);
  for (Event event : spare_events_) d.event_destroy(event);
}

absl::StatusOr<bool> Puller::Add(Pull pull, WorkList* work, absl::Span<const uint64_t> source_at,
                                 absl::Span<const uint64_t> target_at) {
  if (!failed_.ok()) return failed_;
  const uint64_t bytes = work->BlockBytes();
  if (bytes > kArenaBytes) {
    return Error(Reason::kTooLarge, absl::StrCat("cuda: page lists and descriptors of ", bytes,
                                                 " bytes for one chunk, at most ", kArenaBytes));
  }
  const std::optional<uint64_t> block = arena_->Take(bytes);
  if (!block.has_value()) return false;
  pull.block = *block;
  auto owned = std::make_unique<Pull>(std::move(pull));
  absl::Status staged = Stage(owned.get(), work, source_at, target_at);
  if (!staged.ok()) {
    arena_->Give(*block);
    return staged;
  }
  pulls_.push_back(std::move(owned));
  return true;
}

absl::Status Puller::Stage(Pull* pull, WorkList* work, absl::Span<const uint64_t> source_at,
                           absl::Span<const uint64_t> target_at) {
  const uint64_t bytes = work->BlockBytes();
  const bool in_place = work->bytes() <= kReadInPlaceMax;
  const uint64_t seen_at = in_place ? arena_->mapped(pull->block) : arena_->device(pull->block);
  std::byte* const host = arena_->host(pull->block);
  absl::Status written = work->Write(host, seen_at, source_at, target_at, GroupBytes(blocks_));
  if (!written.ok()) return written;
  pull->bytes = work->bytes();
  pull->items = reinterpret_cast<const Item*>(seen_at);
  pull->item_count = work->items();
  pull->groups = work->groups();
  if (in_place) return absl::OkStatus();
  if (absl::Status s = gpu_->MakeCurrent(); !s.ok()) return s;
  const Driver& d = gpu_->driver();
  return d.Check(d.copy_in(seen_at, host, bytes, gpu_->stream()), "cuMemcpyHtoDAsync");
}

void Puller::DropWindow(const void* window) {
  for (auto& pull : pulls_) pull->dropped |= pull->window == window;
}

void Puller::DropChannel(ChannelId channel) {
  for (auto& pull : pulls_) pull->dropped |= pull->channel == channel;
}

bool Puller::Writes(const void* window) const {
  return std::any_of(pulls_.begin(), pulls_.end(), [window](const auto& pull) {
    return pull->window == window && pull->launches > 0;
  });
}

bool Puller::Pulls(const void* window, ChannelId channel) const {
  return std::any_of(pulls_.begin(), pulls_.end(), [&](const auto& pull) {
    return pull->window == window && pull->channel == channel;
  });
}

absl::Status Puller::Poll(std::vector<Over>* over, uint64_t* landed) {
  if (pulls_.empty()) return failed_;
  if (failed_.ok()) failed_ = gpu_->MakeCurrent();
  if (failed_.ok()) failed_ = Reap(landed);
  while (failed_.ok() && flights_.size() < kFlightsMax) {
    const size_t before = flights_.size();
    failed_ = LaunchNext();
    if (flights_.size() == before) break;
  }
  if (!failed_.ok()) {
    // A context with an error runs nothing any more.
    for (auto& pull : pulls_) pull->dropped = true, pull->launches = 0;
    for (const Flight& flight : flights_) spare_events_.push_back(flight.event);
    flights_.clear();
  }
  Sweep(over);
  return failed_;
}

absl::Status Puller::Reap(uint64_t* landed) {
  const Driver& d = gpu_->driver();
  while (!flights_.empty()) {
    Flight& flight = flights_.front();
    const Result state = d.event_query(flight.event);
    if (state == kNotReady) break;
    if (state != kSuccess) return d.Check(state, "the pull kernel");
    for (const Part& part : flight.parts) {
      Pull& pull = *part.pull;
      --pull.launches;
      pull.finished += part.groups;
      // Exact at the end, in proportion before.
      const auto now = static_cast<uint64_t>(static_cast<unsigned __int128>(pull.bytes) *
                                             pull.finished / pull.groups);
      *landed += now - pull.landed;
      pull.landed = now;
    }
    spare_events_.push_back(flight.event);
    flights_.pop_front();
  }
  return absl::OkStatus();
}

void Puller::FillLaunch(Launch* launch, std::vector<Part>* parts) {
  const uint64_t waiting = std::count_if(pulls_.begin(), pulls_.end(), [](const auto& pull) {
    return !pull->dropped && pull->launched < pull->groups;
  });
  if (waiting == 0) return;
  const uint64_t share = std::max(kShareBytesMin, kLaunchBytesMax / waiting);
  uint64_t left = kLaunchBytesMax;
  // Each pull once at most: it leaves the front of the row, and comes back at its end.
  const size_t count = pulls_.size();
  for (size_t i = 0; i < count && left > 0 && launch->slices < kSlicesPerLaunchMax; ++i) {
    std::unique_ptr<Pull> pull = std::move(pulls_.front());
    pulls_.pop_front();
    if (!pull->dropped && pull->launched < pull->groups) {
      const uint64_t group_bytes = std::max<uint64_t>(1, pull->bytes / pull->groups);
      const uint64_t begun = std::max(kFirstBytes, pull->launched * group_bytes);
      const uint64_t most = std::max<uint64_t>(1, std::min({share, left, begun}) / group_bytes);
      const auto groups =
          static_cast<uint32_t>(std::min<uint64_t>(most, pull->groups - pull->launched));
      launch->slice[launch->slices++] = {pull->items, pull->item_count, pull->launched,
                                         pull->launched + groups, launch->groups};
      launch->groups += groups;
      pull->launched += groups;
      ++pull->launches;
      parts->push_back({pull.get(), groups});
      left -= std::min(left, groups * group_bytes);
    }
    pulls_.push_back(std::move(pull));
  }
}

absl::Status Puller::LaunchNext() {
  Launch launch;
  launch.slices = 0;
  launch.groups = 0;
  Flight flight;
  FillLaunch(&launch, &flight.parts);
  if (launch.slices == 0) return absl::OkStatus();
  const Driver& d = gpu_->driver();
  if (spare_events_.empty()) {
    Event event = nullptr;
    absl::Status s = d.Check(d.event_create(&event, kEventNoTiming), "cuEventCreate");
    if (!s.ok()) return s;
    spare_events_.push_back(event);
  }
  flight.event = spare_events_.back();
  spare_events_.pop_back();
  const uint32_t blocks = std::min(blocks_, launch.groups);
  void* arguments[] = {&launch};
  flights_.push_back(std::move(flight));
  absl::Status s = d.Check(
      d.launch(gpu_->kernel(), blocks, 1, 1, kThreads, 1, 1, 0, gpu_->stream(), arguments, nullptr),
      "cuLaunchKernel");
  if (!s.ok()) return s;
  return d.Check(d.event_record(flights_.back().event, gpu_->stream()), "cuEventRecord");
}

void Puller::Sweep(std::vector<Over>* over) {
  for (auto it = pulls_.begin(); it != pulls_.end();) {
    Pull& pull = **it;
    if (!pull.over()) {
      ++it;
      continue;
    }
    over->push_back({pull.channel, pull.serial});
    arena_->Give(pull.block);
    it = pulls_.erase(it);
  }
}

}  // namespace baton::transport::cuda
