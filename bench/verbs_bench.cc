// What the verbs transport itself costs for one write: built, posted, reaped, on a fake device,
// with the device's own work measured in the same run and taken off. Rounds are interleaved,
// figures are medians. Targets: 80 ns, one completion in 32 writes, no allocation.
//
//   bazel run -c opt //bench:verbs_bench
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "bench/fake_device.h"
#include "common/clock.h"
#include "common/log.h"
#include "planner/cursor.h"
#include "planner/plan.h"
#include "tests/support/counted_allocations.h"
#include "transfer_agent/transport/conformance/test_pool.h"
#include "transfer_agent/transport/verbs/fake_provider/fake_net.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::bench {
namespace {

using transport::OfferId;
using transport::PeerId;
using transport::Segment;
using transport::TestPool;
using transport::verbs::FakeNet;
using transport::verbs::VerbsOptions;
using transport::verbs::VerbsTransport;

constexpr PeerId kPeer{1};
constexpr uint32_t kBytes = 128;  // above what goes inline
constexpr uint32_t kPages = 1024;
constexpr uint64_t kWrites = uint64_t{1} << 20;
constexpr uint32_t kChain = 64;
constexpr int kRounds = 7;
// A gap behind each page: none continues another, so each is a write of its own.
constexpr transport::PoolShape kShape{
    .layers = 1, .page_tokens = 1, .token_bytes = kBytes, .pages = kPages, .gap_bytes = 64};

std::vector<int32_t> Pages(uint32_t seed) {
  std::vector<int32_t> pages(kPages);
  std::iota(pages.begin(), pages.end(), 0);
  std::shuffle(pages.begin(), pages.end(), std::mt19937(seed));
  std::vector<int32_t> all;
  all.reserve(kWrites);
  while (all.size() < kWrites) all.insert(all.end(), pages.begin(), pages.end());
  return all;
}

std::vector<uint64_t> Offsets(const std::vector<int32_t>& pages) {
  std::vector<uint64_t> offsets;
  for (uint32_t i = 0; i < kPages; ++i) offsets.push_back(uint64_t{192} * pages[i]);
  return offsets;
}

double NsSince(TimePoint begin, uint64_t writes) {
  return std::chrono::duration<double, std::nano>(Monotonic::now() - begin).count() / writes;
}

// Counts and allocates nothing.
class Counting final : public transport::Events {
 public:
  void OnChannelUp(transport::ChannelId) override { ++up; }
  void OnChannelDown(transport::ChannelId, const absl::Status& cause) override {
    LOG(FATAL) << cause;
  }
  void OnSegmentDone(uint64_t, const absl::Status& status) override {
    CHECK(status.ok()) << status;
    ++done;
  }
  void OnPart(transport::ChannelId, PeerId, OfferId, uint32_t, uint64_t) override { ++parts; }
  void OnWindowBroken(PeerId, OfferId, const absl::Status& cause) override { LOG(FATAL) << cause; }
  void OnFenced(PeerId, OfferId) override {}

  uint64_t up = 0;
  uint64_t done = 0;
  uint64_t parts = 0;
};

struct Side {
  explicit Side(FakeNet* net) : pool(kShape) {
    VerbsOptions options;
    auto made = VerbsTransport::Create(net->NewProvider(), options);
    CHECK(made.ok()) << made.status();
    transport = *std::move(made);
    const transport::LocalRegion region = pool.region();
    auto exported = transport->ExportMemory({&region, 1});
    CHECK(exported.ok()) << exported.status();
    memory = *std::move(exported);
  }
  void Poll() { transport->Poll(Monotonic::now(), &events); }

  TestPool pool;
  std::unique_ptr<VerbsTransport> transport;
  transport::ExportedMemory memory;
  Counting events;
};

// A channel between two workers on one device, and one large room after the other over it.
class Path {
 public:
  explicit Path(FakeNet* net) : source_(net), target_(net), from_(Pages(1)), to_(Pages(2)) {
    source_.pool.FillPattern(1);
    auto made = planner::PlanPair(source_.pool.Spec(), {}, source_.pool.Layout(),
                                  target_.pool.Spec(), {}, target_.pool.Layout(), {});
    CHECK(made.ok()) << made.status();
    plan_ = *std::move(made);
    tokens_.total = kWrites;
    source_side_.pages = {absl::MakeConstSpan(from_)};
    target_side_.pages = {absl::MakeConstSpan(to_)};
    auto opened = source_.transport->Open(kPeer);
    CHECK(opened.ok()) << opened.status();
    channel_ = opened->id;
    auto accepted = target_.transport->Accept(kPeer, opened->data);
    CHECK(accepted.ok()) << accepted.status();
    CHECK(source_.transport->Complete(channel_, accepted->data).ok());
    auto imported = source_.transport->ImportMemory(kPeer, target_.memory.key);
    CHECK(imported.ok()) << imported.status();
    remote_ = *imported;
    while (source_.events.up == 0 || target_.events.up == 0) PollBoth();
  }

  // Nanoseconds a write, from Submit to the end of the segment.
  double Run() {
    const OfferId offer{.slot = ++slot_, .generation = 1};
    CHECK(target_.transport
              ->OpenWindow({.peer = kPeer,
                            .offer = offer,
                            .memory = target_.memory.id,
                            .plan = &plan_,
                            .tokens = tokens_,
                            .pages = target_side_})
              .ok());
    Segment segment;
    segment.offer = offer;
    segment.memory = source_.memory.id;
    segment.remote = remote_;
    segment.tokens = tokens_;
    segment.chunk = {.token_begin = 0, .token_end = kWrites, .last = true};
    segment.close_part = true;
    segment.cursor = planner::Cursor(&plan_, tokens_, segment.chunk, &source_side_, &target_side_);
    const uint64_t before = source_.events.done;
    test::counted = true;
    const TimePoint begin = Monotonic::now();
    CHECK(source_.transport->Submit(channel_, std::move(segment)) ==
          transport::Submitted::kAccepted);
    while (source_.events.done == before) source_.Poll();
    const double ns = NsSince(begin, kWrites);
    test::counted = false;
    const uint64_t parts = target_.events.parts;
    while (target_.events.parts == parts) PollBoth();
    target_.transport->FenceDrained(kPeer, offer);
    PollBoth();
    return ns;
  }

 private:
  void PollBoth() {
    source_.Poll();
    target_.Poll();
  }

  Side source_;
  Side target_;
  const std::vector<int32_t> from_;
  const std::vector<int32_t> to_;
  planner::PairPlan plan_;
  planner::RoomTokens tokens_;
  planner::SidePages source_side_;
  planner::SidePages target_side_;
  transport::ChannelId channel_;
  transport::RemoteMemoryId remote_;
  uint16_t slot_ = 0;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Print(const char* what, double value, double target) {
  std::printf("%-58s %8.3f  <= %g %s\n", what, value, target, value <= target ? "ok" : "MISSED");
}

int Main() {
  FakeNet net;
  net.AddDevice({.name = "fake0", .port = {}});
  net.set_work_per_poll(kChain);
  Path path(&net);
  FakeNet raw_net;
  raw_net.AddDevice({.name = "fake0", .port = {}});
  raw_net.set_work_per_poll(kChain);
  FakeDevice device(&raw_net, uint64_t{192} * kPages);
  const std::vector<uint64_t> from = Offsets(Pages(1));
  const std::vector<uint64_t> to = Offsets(Pages(2));
  path.Run();
  test::allocations = 0;
  const uint64_t completions = net.completions();
  const uint64_t doorbells = net.doorbells();
  std::vector<double> whole, alone, own;
  for (int round = 0; round < kRounds; ++round) {
    const TimePoint begin = Monotonic::now();
    device.Write(from, to, kBytes, kWrites, kChain);
    alone.push_back(NsSince(begin, kWrites));
    whole.push_back(path.Run());
    own.push_back(whole.back() - alone.back());
  }
  const double writes = static_cast<double>(kWrites) * kRounds;
  std::printf("%-58s %8.1f\n", "one write of 128 bytes on the fake device, ns", Median(whole));
  std::printf("%-58s %8.1f\n", "of that the device, driven by hand in chains of 64, ns",
              Median(alone));
  Print("built, posted and reaped by the transport, ns", Median(own), 80);
  Print("completions a write", (net.completions() - completions) / writes, 1.0 / 32);
  std::printf("%-58s %8.3f\n", "doorbells a write", (net.doorbells() - doorbells) / writes);
  Print("allocations from Submit to the last completion", static_cast<double>(test::allocations),
        0);
  return 0;
}

}  // namespace
}  // namespace baton::bench

int main(int, char** argv) {
  baton::InitLog(argv[0]);
  return baton::bench::Main();
}
