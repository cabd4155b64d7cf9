// What memory windows cost: a channel's setup and a fence that its source does not answer, with
// them and without. One pool in 16 pieces, so 16 windows for each queue pair. Rounds are
// interleaved, figures are medians.
//
//   bazel run -c opt //bench:verbs_windows             on fake devices: the transport's own share
//   tools/rdma_bed/in_guest bazel-bin/bench/verbs_windows real
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "common/log.h"
#include "planner/plan.h"
#include "transfer_agent/transport/conformance/test_pool.h"
#include "transfer_agent/transport/verbs/fake_provider/fake_net.h"
#include "transfer_agent/transport/verbs/provider/ibverbs.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::bench {
namespace {

using transport::ChannelId;
using transport::OfferId;
using transport::PeerId;
using transport::TestPool;
using transport::verbs::FakeNet;
using transport::verbs::Provider;
using transport::verbs::VerbsOptions;
using transport::verbs::VerbsTransport;

constexpr PeerId kPeer{1};
constexpr OfferId kOffer{.slot = 1, .generation = 1};
constexpr int kRounds = 41;
constexpr size_t kPieces = 16;

class Counting final : public transport::Events {
 public:
  void OnChannelUp(ChannelId) override { ++up; }
  void OnChannelDown(ChannelId, const absl::Status&) override {}
  void OnSegmentDone(uint64_t, const absl::Status&) override {}
  void OnPart(ChannelId, PeerId, OfferId, uint32_t, uint64_t) override {}
  void OnWindowBroken(PeerId, OfferId, const absl::Status&) override {}
  void OnFenced(PeerId, OfferId) override { ++fenced; }

  uint64_t up = 0;
  uint64_t fenced = 0;
};

struct Side {
  Side(std::unique_ptr<Provider> provider, bool windows)
      : pool({.layers = 1, .page_tokens = 1, .token_bytes = 4096, .pages = 64}) {
    VerbsOptions options;
    options.wishes.rails_max = 1;
    options.memory_windows = windows;
    options.fence_timeout = Duration::zero();
    auto made = VerbsTransport::Create(std::move(provider), options);
    CHECK(made.ok()) << made.status();
    transport = *std::move(made);
    const std::vector<transport::LocalRegion> regions(kPieces, pool.region());
    auto exported = transport->ExportMemory(regions);
    CHECK(exported.ok()) << exported.status();
    memory = *std::move(exported);
  }
  void Poll() { transport->Poll(Monotonic::now(), &events); }

  TestPool pool;
  std::unique_ptr<VerbsTransport> transport;
  transport::ExportedMemory memory;
  Counting events;
};

double MicrosSince(TimePoint begin) {
  return std::chrono::duration<double, std::micro>(Monotonic::now() - begin).count();
}

struct Figures {
  std::vector<double> setup;
  std::vector<double> fence;
};

// A channel comes up, and is fenced without its source.
void Round(Side* source, Side* target, Figures* figures) {
  auto plan = planner::PlanPair(source->pool.Spec(), {}, source->pool.Layout(), target->pool.Spec(),
                                {}, target->pool.Layout(), {});
  CHECK(plan.ok()) << plan.status();
  const uint64_t up = source->events.up + target->events.up;
  TimePoint begin = Monotonic::now();
  auto opened = source->transport->Open(kPeer);
  CHECK(opened.ok()) << opened.status();
  auto accepted = target->transport->Accept(kPeer, opened->data);
  CHECK(accepted.ok()) << accepted.status();
  CHECK(source->transport->Complete(opened->id, accepted->data).ok());
  while (source->events.up + target->events.up < up + 2) {
    source->Poll();
    target->Poll();
  }
  figures->setup.push_back(MicrosSince(begin));
  CHECK(target->transport
            ->OpenWindow({.peer = kPeer,
                          .offer = kOffer,
                          .memory = target->memory.id,
                          .plan = &*plan,
                          .tokens = {},
                          .pages = {}})
            .ok());
  const uint64_t fenced = target->events.fenced;
  begin = Monotonic::now();
  target->transport->Fence(kPeer, kOffer);
  while (target->events.fenced == fenced) target->Poll();
  figures->fence.push_back(MicrosSince(begin));
  target->transport->FenceDrained(kPeer, kOffer);
  source->transport->Close(opened->id);
  source->transport->ForgetPeer(kPeer);
  source->Poll();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int Main(bool real) {
  FakeNet net;
  net.AddDevice({.name = "fake0", .port = {}});
  const auto provider = [&] {
    return real ? transport::verbs::MakeIbverbsProvider() : net.NewProvider();
  };
  Side sources[] = {{provider(), false}, {provider(), true}};
  Side targets[] = {{provider(), false}, {provider(), true}};
  Figures figures[2];
  for (int round = 0; round < kRounds; ++round) {
    for (int windows : {0, 1}) Round(&sources[windows], &targets[windows], &figures[windows]);
  }
  std::printf("%-50s %10s %10s\n", "16 pieces, one queue pair, us", "without", "windows");
  std::printf("%-50s %10.1f %10.1f\n", "a channel's setup", Median(figures[0].setup),
              Median(figures[1].setup));
  std::printf("%-50s %10.1f %10.1f\n", "a fence without an answer, once its time is over",
              Median(figures[0].fence), Median(figures[1].fence));
  return 0;
}

}  // namespace
}  // namespace baton::bench

int main(int argc, char** argv) {
  baton::InitLog(argv[0]);
  return baton::bench::Main(argc > 1 && absl::string_view(argv[1]) == "real");
}
