// Two processes as two agents have it: the parent pulls what the child offers, over the real
// transport, from scattered pages to scattered pages. Beside it one big copy by the driver.
//
//   pull_bench [driver] [source gpu] [target gpu] [rounds of one case]      gpu -1: host memory
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bench/gpu/pull_pool.h"
#include "common/clock.h"
#include "common/log.h"
#include "transfer_agent/transport/cuda/factory.h"
#include "transfer_agent/transport/cuda/work_list.h"

namespace baton::bench {
namespace {

using transport::ChannelId;
using transport::OfferId;
using transport::PeerId;

constexpr PeerId kPeer{1};
constexpr uint64_t kPoolBytes = uint64_t{512} << 20;

// What the two processes tell each other while the clock runs.
struct Shared {
  std::atomic<uint64_t> go;    // rounds that the target is ready for
  std::atomic<uint64_t> done;  // rounds of which the source's segment has ended
  std::atomic<int64_t> sent_at;
};

int64_t Now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Monotonic::now().time_since_epoch())
      .count();
}

struct Seen final : transport::Events {
  void OnChannelUp(ChannelId) override { up = true; }
  void OnChannelDown(ChannelId, const absl::Status& cause) override { LOG(FATAL) << cause; }
  void OnSegmentDone(uint64_t, const absl::Status& status) override {
    CHECK(status.ok()) << status;
    ++segments;
  }
  void OnPart(ChannelId, PeerId, OfferId, uint32_t, uint64_t) override {
    ++parts;
    part_at = Now();
  }
  void OnWindowBroken(PeerId, OfferId, const absl::Status& cause) override { LOG(FATAL) << cause; }
  void OnFenced(PeerId, OfferId) override { ++fenced; }

  bool up = false;
  uint64_t segments = 0;
  uint64_t parts = 0;
  uint64_t fenced = 0;
  int64_t part_at = 0;
};

struct Case {
  uint32_t layers;
  uint32_t page_bytes;
  uint32_t blocks;
  uint32_t tokens;  // 0: all pages
  int rounds;
};

// Not 0: rounds of one case alone, to see what it takes from others.
int only_rounds = 0;

std::vector<Case> Cases() {
  if (only_rounds > 0) return {{60, 4096, 16, 0, only_rounds}};
  std::vector<Case> cases;
  // 64 KiB: sixteen layers of one page.
  cases.push_back({16, 4096, 16, 1, 400});
  for (uint32_t page : {576u, 1152u, 4096u, 65536u}) {
    for (uint32_t blocks : {16u, 64u, 132u}) cases.push_back({60, page, blocks, 0, 7});
  }
  return cases;
}

PullShape ShapeOf(const Case& c) {
  PullShape shape{.layers = c.layers, .page_bytes = c.page_bytes};
  shape.pages = static_cast<uint32_t>(kPoolBytes / shape.layers / c.page_bytes);
  return shape;
}

void SendText(int fd, const std::string& text) {
  CHECK_EQ(send(fd, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
}
std::string ReceiveText(int fd) {
  char text[4096];
  const ssize_t n = recv(fd, text, sizeof(text), 0);
  CHECK_GT(n, 0);
  return std::string(text, n);
}

struct Side {
  Side(const std::string& driver, const Case& c, int gpu, bool target)
      : shape(ShapeOf(c)),
        plan(PlanOf(shape)),
        pool(transport::cuda::LoadDriver(driver).value(), gpu, shape, target),
        transport(transport::CreateCudaTransport({.blocks = c.blocks, .driver = driver}).value()),
        memory(transport->ExportMemory({&pool.region(), 1}).value().id),
        source_pages(Scattered(shape.pages, 1)),
        target_pages(Scattered(shape.pages, 2)) {
    tokens.total = c.tokens == 0 ? shape.pages : c.tokens;
    source_side.pages = {absl::MakeConstSpan(source_pages).subspan(0, tokens.total)};
    target_side.pages = {absl::MakeConstSpan(target_pages).subspan(0, tokens.total)};
  }
  void Poll(const std::function<bool()>& until) {
    while (!until()) transport->Poll(Monotonic::now(), &seen);
  }

  const PullShape shape;
  const planner::PairPlan plan;
  PullPool pool;
  std::unique_ptr<transport::Transport> transport;
  transport::MemoryId memory;
  std::vector<int32_t> source_pages;
  std::vector<int32_t> target_pages;
  planner::SidePages source_side;
  planner::SidePages target_side;
  planner::RoomTokens tokens;
  Seen seen;
};

OfferId OfferOf(uint64_t round) {
  return {.slot = 1, .generation = static_cast<uint16_t>(round & transport::kGenerationMask)};
}

void RunSource(const std::string& driver, int gpu, int fd, Shared* shared) {
  uint64_t round = 0;
  for (const Case& c : Cases()) {
    Side side(driver, c, gpu, false);
    side.pool.FillPattern();
    auto opened = side.transport->Open(kPeer).value();
    SendText(fd, opened.data);
    CHECK(side.transport->Complete(opened.id, ReceiveText(fd)).ok());
    side.Poll([&] { return side.seen.up; });
    SendText(fd, std::string(reinterpret_cast<const char*>(&side.pool.region().share),
                             sizeof(DeviceShare)));
    for (int i = 0; i < c.rounds; ++i) {
      ++round;
      side.Poll([&] { return shared->go == round; });
      transport::Segment segment;
      segment.offer = OfferOf(round);
      segment.memory = side.memory;
      segment.tokens = side.tokens;
      segment.chunk = {.token_begin = 0, .token_end = side.tokens.total, .last = true};
      segment.close_part = true;
      shared->sent_at = Now();
      segment.cursor =
          planner::Cursor(&side.plan, side.tokens, segment.chunk, &side.source_side, nullptr);
      side.transport->Submit(opened.id, std::move(segment));
      side.Poll([&] { return side.seen.segments == static_cast<uint64_t>(i) + 1; });
      // The part's close goes out with the next calls.
      side.Poll([&] { return shared->done == round; });
    }
    CHECK_EQ(ReceiveText(fd), "next");
  }
}

double Median(std::vector<double> values, double at = 0.5) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(at * static_cast<double>(values.size() - 1))];
}

// GB/s of the driver's own copy of the whole pool.
double BigCopy(const std::string& driver, const Side& side, const DeviceShare& share) {
  using Copy = int (*)(uint64_t, uint64_t, size_t, void*);
  auto* copy = reinterpret_cast<Copy>(
      dlsym(dlopen(driver.c_str(), RTLD_NOW | RTLD_LOCAL), "cuMemcpyDtoDAsync_v2"));
  const transport::cuda::Gpu* gpu = side.pool.gpu();
  if (copy == nullptr || gpu == nullptr || share.kind == DeviceShare::Kind::kNone) {
    return 0;
  }
  auto source = transport::cuda::DeviceMapping::OfShare(gpu, share, side.shape.bytes(),
                                                        transport::cuda::GpuAccess::kRead);
  CHECK(source.ok()) << source.status();
  std::vector<double> rates;
  for (int i = 0; i < 7; ++i) {
    const int64_t begin = Now();
    CHECK_EQ(copy(side.pool.address(), source->address(), side.shape.bytes(), gpu->stream()), 0);
    CHECK_EQ(gpu->driver().stream_synchronize(gpu->stream()), 0);
    rates.push_back(static_cast<double>(side.shape.bytes()) / static_cast<double>(Now() - begin));
  }
  return Median(rates);
}

void RunTarget(const std::string& driver, int gpu, int fd, Shared* shared) {
  uint64_t round = 0;
  double big = 0;
  for (const Case& c : Cases()) {
    Side side(driver, c, gpu, true);
    side.pool.FillZeros();
    auto accepted = side.transport->Accept(kPeer, ReceiveText(fd)).value();
    SendText(fd, accepted.data);
    side.Poll([&] { return side.seen.up; });
    DeviceShare share;
    const std::string bytes = ReceiveText(fd);
    memcpy(static_cast<void*>(&share), bytes.data(), sizeof(share));
    if (big == 0) {
      big = BigCopy(driver, side, share);
      printf("one big copy of %.0f MiB: %.1f GB/s\n",
             static_cast<double>(side.shape.bytes()) / (1 << 20), big);
      side.pool.FillZeros();
    }
    std::vector<double> times;
    for (int i = 0; i < c.rounds; ++i) {
      ++round;
      CHECK(side.transport
                ->OpenWindow({.peer = kPeer,
                              .offer = OfferOf(round),
                              .memory = side.memory,
                              .plan = &side.plan,
                              .tokens = side.tokens,
                              .pages = side.target_side})
                .ok());
      shared->go = round;
      side.Poll([&] { return side.seen.parts == static_cast<uint64_t>(i) + 1; });
      times.push_back(static_cast<double>(side.seen.part_at - shared->sent_at));
      side.transport->Fence(kPeer, OfferOf(round));
      side.Poll([&] { return side.seen.fenced == static_cast<uint64_t>(i) + 1; });
      shared->done = round;
    }
    const double bytes_moved = static_cast<double>(planner::RoomBytes(side.plan, side.tokens));
    const uint64_t wrong = side.pool.CountWrong(
        {side.source_pages.begin(), side.source_pages.begin() + side.tokens.total},
        {side.target_pages.begin(), side.target_pages.begin() + side.tokens.total});
    const double rate = bytes_moved / Median(times);
    printf(
        "page %6u blocks %3u room %8.0f KiB: %7.1f GB/s %5.3f of the copy, "
        "p50 %.1f p99 %.1f us, %lu pages wrong\n",
        c.page_bytes, c.blocks, bytes_moved / 1024, rate, big > 0 ? rate / big : 0,
        Median(times) / 1e3, Median(times, 0.99) / 1e3, static_cast<unsigned long>(wrong));
    fflush(stdout);
    CHECK_EQ(wrong, 0u);
    SendText(fd, "next");
  }
}

// The CPU's part of a large room, at the target: 15 000 pages, 61 layers of two tensors.
void TimeList() {
  const PullShape shape{.layers = 122, .page_bytes = 4096, .pages = 15000};
  const planner::PairPlan plan = PlanOf(shape);
  const std::vector<int32_t> list = Scattered(shape.pages, 3);
  planner::SidePages side;
  side.pages = {absl::MakeConstSpan(list)};
  const planner::RoomTokens tokens{.total = shape.pages, .prefix = 0};
  const planner::ChunkRange all{.token_begin = 0, .token_end = shape.pages, .last = true};
  const uint64_t size = shape.bytes();
  const uint64_t at = 4096;
  transport::cuda::WorkList work;
  std::vector<std::byte> block;
  std::vector<double> times;
  for (int i = 0; i < 200; ++i) {
    const int64_t begin = Now();
    work.Read(planner::Cursor(&plan, tokens, all, &side, &side));
    CHECK(work.CheckSource(side, {&size, 1}).ok() && work.CheckTarget(side, {&size, 1}).ok());
    block.resize(work.BlockBytes());
    CHECK(work.Write(block.data(), 0, {&at, 1}, {&at, 1}, 8192).ok());
    times.push_back(static_cast<double>(Now() - begin) / 1e3);
  }
  printf("15000 pages x 122 copies: %u items, %zu bytes uploaded, %.1f us of CPU\n", work.items(),
         block.size(), Median(times));
}

int Main(int argc, char** argv) {
  const std::string driver = argc > 1 ? argv[1] : transport::cuda::kDriverLibrary;
  const int source = argc > 2 ? atoi(argv[2]) : 0;
  const int target = argc > 3 ? atoi(argv[3]) : 0;
  only_rounds = argc > 4 ? atoi(argv[4]) : 0;
  TimeList();
  fflush(stdout);
  int fds[2];
  CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
  auto* shared = static_cast<Shared*>(
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  // Before either has touched the driver: it does not outlive a fork.
  const pid_t child = fork();
  if (child == 0) {
    close(fds[0]);
    RunSource(driver, source, fds[1], shared);
    _exit(0);
  }
  close(fds[1]);
  RunTarget(driver, target, fds[0], shared);
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0 ? 0 : 1;
}

}  // namespace
}  // namespace baton::bench

int main(int argc, char** argv) { return baton::bench::Main(argc, argv); }
