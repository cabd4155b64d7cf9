// The bootstrap service's two figures: how long a server of 512 ranks takes from its first
// registration until 16 watchers have seen it ready, and how many rank records a second snapshots
// bring. Service, agents and watchers run in this process, over loopback.
#include <grpcpp/grpcpp.h>
#include <stdio.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "baton/v1/bootstrap.grpc.pb.h"
#include "bench/bootstrap/live_service.h"
#include "client/bootstrap/directory.h"
#include "client/bootstrap/registrar.h"
#include "client/rpc/channel.h"
#include "common/clock.h"
#include "common/config/config.h"

namespace baton {
namespace {

using bench::kGiveUp;
using bench::MillisSince;
using bench::WaitFor;

constexpr RankCoord kSizes{1, 8, 8, 8};
constexpr uint32_t kRanks = 512;
constexpr uint32_t kRanksPerAgent = 8;

struct Options {
  uint32_t rounds = 5;
  uint32_t watchers = 16;
  uint32_t seconds = 2;
};

// K and V of a model of 96 layers: a spec as large as real ones are.
planner::ServerSpec Spec() {
  planner::ServerSpec spec;
  spec.sizes = kSizes;
  spec.page_groups = {{64}};
  for (uint32_t pp = 0; pp < kSizes.pp; ++pp) {
    spec.stages.emplace_back();
    for (uint32_t i = 0; i < 12; ++i) spec.stages.back().push_back(pp * 12 + i);
  }
  for (planner::Kind kind : {planner::Kind::kK, planner::Kind::kV}) {
    planner::TensorSpec tensor;
    tensor.kind = kind;
    for (uint32_t layer = 0; layer < 96; ++layer) tensor.layers.push_back(layer);
    tensor.dtype = "bf16";
    tensor.heads = 8;
    tensor.head_bytes = 256;
    tensor.tp_sharded = true;
    spec.tensors.push_back(tensor);
  }
  return spec;
}

class NoEvents : public RegistrarEvents {
 public:
  void OnRegistered(const RankRef&, Incarnation) override {}
  void OnRegistrationFailing(const RankRef& rank, const absl::Status& cause, bool) override {
    fprintf(stderr, "%s: %s\n", ToString(rank).c_str(), cause.ToString().c_str());
  }
  void OnLeaseLost(const RankRef&) override {}
};

// Counts the watchers that have seen the server ready.
class ReadyCounter : public DirectoryEvents {
 public:
  explicit ReadyCounter(std::atomic<uint32_t>* count) : count_(count) {}
  void Await(const std::string& name) { name_ = name; }
  void OnServer(const std::shared_ptr<const v1::ServerRecord>& server) override {
    bool seen = server->state() == v1::SERVER_STATE_READY && server->name() == name_;
    if (seen) ++*count_;
  }
  void OnServerRemoved(const std::string&) override {}

 private:
  std::atomic<uint32_t>* const count_;
  std::string name_;  // set between rounds, while nothing changes
};

std::string Summary(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return absl::StrCat("median ", values[values.size() / 2], ", ", values.front(), " to ",
                      values.back(), " in ", values.size(), " rounds");
}

std::vector<std::unique_ptr<Registrar>> NewAgents(const std::string& address, NoEvents* events,
                                                  uint64_t first_epoch) {
  std::vector<std::unique_ptr<Registrar>> agents;
  for (uint32_t i = 0; i < kRanks / kRanksPerAgent; ++i) {
    RegistrarOptions options;
    options.bootstrap_address = address;
    options.agent_address = absl::StrCat("10.0.0.", i, ":7000");
    options.epoch = Epoch(first_epoch + i);
    agents.push_back(MakeRegistrar(options, events));
  }
  return agents;
}

// Milliseconds; negative when it did not become ready.
double ReadyRound(const std::string& address, const std::string& name, uint64_t first_epoch,
                  const std::function<bool()>& all_have_seen) {
  NoEvents events;
  planner::ServerSpec spec = Spec();
  auto agents = NewAgents(address, &events, first_epoch);
  TimePoint start = Monotonic::now();
  for (uint32_t slot = 0; slot < kRanks; ++slot) {
    RankCoord coord{0, slot / 64, slot / 8 % 8, slot % 8};
    agents[slot / kRanksPerAgent]->Add(
        {{name, coord}, Role::kPrefill, "launch", "model", spec, {{"zone", "a"}}});
  }
  bool ready = WaitFor(all_have_seen);
  double took = MillisSince(start);
  return ready ? took : -1;
}

bool BenchReady(const std::string& address, const Options& options) {
  std::atomic<uint32_t> seen{0};
  std::vector<std::unique_ptr<ReadyCounter>> counters;
  std::vector<std::unique_ptr<Directory>> watchers;
  for (uint32_t i = 0; i < options.watchers; ++i) {
    counters.push_back(std::make_unique<ReadyCounter>(&seen));
    DirectoryOptions directory;
    directory.bootstrap_address = address;
    watchers.push_back(MakeDirectory(directory, counters.back().get()));
    if (!WaitFor([&] { return watchers.back()->synced(); })) return false;
  }
  std::vector<double> rounds;
  for (uint32_t round = 0; round < options.rounds; ++round) {
    std::string name = absl::StrCat("server-", round);
    seen = 0;
    for (auto& counter : counters) counter->Await(name);
    rounds.push_back(
        ReadyRound(address, name, 1 + round * 1000, [&] { return seen >= options.watchers; }));
    if (rounds.back() < 0) return false;
  }
  printf("512 ranks to ready, seen by %u watchers: ms: %s (target: below 1000)\n", options.watchers,
         Summary(rounds).c_str());
  return true;
}

// Rank records a second over `threads` callers, each with one call at a time.
double SnapshotRound(const std::string& address, const std::string& name, uint32_t threads,
                     uint32_t seconds) {
  std::atomic<uint64_t> records{0};
  TimePoint start = Monotonic::now();
  TimePoint end = start + std::chrono::seconds(seconds);
  std::vector<std::thread> callers;
  for (uint32_t i = 0; i < threads; ++i) {
    callers.emplace_back([&] {
      auto stub = v1::Bootstrap::NewStub(MakeChannel(address));
      v1::GetServerRequest request;
      request.set_name(name);
      while (Monotonic::now() < end) {
        grpc::ClientContext context;
        context.set_deadline(DeadlineIn(kGiveUp));
        v1::GetServerResponse response;
        if (stub->GetServer(&context, request, &response).ok()) {
          records += response.server().ranks_size();
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  return records * 1000.0 / MillisSince(start);
}

bool BenchSnapshots(const std::string& address, const Options& options) {
  NoEvents events;
  auto agents = NewAgents(address, &events, 1'000'000);
  for (uint32_t slot = 0; slot < kRanks; ++slot) {
    RankCoord coord{0, slot / 64, slot / 8 % 8, slot % 8};
    agents[slot / kRanksPerAgent]->Add(
        {{"snapshot", coord}, Role::kPrefill, "launch", "model", Spec(), {}});
  }
  auto directory = MakeDirectory({address}, nullptr);
  bool ready = WaitFor([&] {
    auto server = directory->Find("snapshot");
    return server != nullptr && server->state() == v1::SERVER_STATE_READY;
  });
  if (!ready) return false;
  std::vector<double> one;
  std::vector<double> four;
  for (uint32_t round = 0; round < options.rounds; ++round) {
    one.push_back(SnapshotRound(address, "snapshot", 1, options.seconds) / 1e6);
    four.push_back(SnapshotRound(address, "snapshot", 4, options.seconds) / 1e6);
  }
  printf("snapshots of 512 ranks, 1 caller: M records/s: %s\n", Summary(one).c_str());
  printf("snapshots of 512 ranks, 4 callers: M records/s: %s (target: at least 0.6)\n",
         Summary(four).c_str());
  return true;
}

int Main(int argc, char** argv) {
  Options options;
  ConfigTable table("bootstrap_bench", "Figures of the bootstrap service.");
  table.Number("rounds", &options.rounds, {1, 100}, "rounds", "Rounds of each figure.");
  table.Number("watchers", &options.watchers, {1, 256}, "watchers", "Watchers of the server.");
  table.Number("seconds", &options.seconds, {1, 60}, "s", "Length of a snapshot round.");
  table.ParseOrExit(argc, argv);
  return bench::RunWithService("bootstrap_bench", {}, [&](const std::string& address) {
    return BenchReady(address, options) && BenchSnapshots(address, options);
  });
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) { return baton::Main(argc, argv); }
