// 20 000 ranks watched by 50 watchers: memory of the service for each rank, the time until all
// watchers that begin together have their snapshot, and until all know of a change. Service and
// watchers share this process and its cores. Targets: 1 KiB, 1 s, 100 ms.
#include <grpcpp/grpcpp.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "baton/v1/bootstrap.grpc.pb.h"
#include "bench/bootstrap/live_service.h"
#include "client/bootstrap/directory.h"
#include "client/rpc/channel.h"
#include "common/clock.h"
#include "common/config/config.h"
#include "planner/layout_proto.h"

namespace baton {
namespace {

using bench::kGiveUp;
using bench::MillisSince;
using bench::WaitFor;

constexpr RankCoord kSizes{1, 1, 4, 8};
constexpr uint32_t kRanksOfServer = 32;
constexpr uint32_t kRanksOfAgent = 8;

struct Options {
  uint32_t servers = 625;
  uint32_t watchers = 50;
  uint32_t changes = 50;
};

// K and V of a model of 94 layers: a spec as large as real ones are.
v1::ServerSpec Spec() {
  planner::ServerSpec spec;
  spec.sizes = kSizes;
  spec.page_groups = {{64}};
  std::vector<uint32_t> layers(94);
  std::iota(layers.begin(), layers.end(), 0U);
  spec.stages = {layers};
  for (planner::Kind kind : {planner::Kind::kK, planner::Kind::kV}) {
    planner::TensorSpec tensor;
    tensor.kind = kind;
    tensor.layers = layers;
    tensor.dtype = "bf16";
    tensor.heads = 8;
    tensor.head_bytes = 256;
    tensor.tp_sharded = true;
    spec.tensors.push_back(tensor);
  }
  return planner::ToProto(spec);
}

// Watchers that have what the round waits for.
class Seen : public DirectoryEvents {
 public:
  explicit Seen(std::atomic<uint32_t>* count) : count_(count) {}
  void Await(uint64_t epoch) { epoch_ = epoch; }
  void OnServer(const std::shared_ptr<const v1::ServerRecord>& server) override {
    const uint64_t awaited = epoch_;
    if (awaited != 0 && server->ranks_size() > 0 && server->ranks(0).epoch() == awaited) ++*count_;
  }
  void OnServerRemoved(const std::string&) override {}

 private:
  std::atomic<uint32_t>* const count_;
  std::atomic<uint64_t> epoch_{0};
};

uint64_t ResidentBytes() {
  malloc_trim(0);
  std::ifstream file("/proc/self/statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

class Bench {
 public:
  Bench(std::string address, const Options& options)
      : address_(std::move(address)),
        options_(options),
        stub_(v1::Bootstrap::NewStub(MakeChannel(address_))),
        spec_(Spec()) {}

  bool Run() { return Register() && Snapshot() && Changes(); }

 private:
  static std::string NameOf(uint32_t server) { return absl::StrCat("server-", server); }

  bool RegisterRank(uint32_t server, uint64_t incarnation, uint32_t rank, uint64_t epoch) {
    v1::RegisterRankRequest request;
    request.set_server(NameOf(server));
    request.set_incarnation(incarnation);
    request.mutable_rank()->mutable_coord()->set_cp(rank / kSizes.tp);
    request.mutable_rank()->mutable_coord()->set_tp(rank % kSizes.tp);
    request.mutable_rank()->set_epoch(epoch);
    request.mutable_rank()->set_agent_address(absl::StrCat(
        "10.", server / 250, ".", server % 250, ".", rank / kRanksOfAgent, ":", 7000 + epoch % 2));
    *request.mutable_spec() = spec_;
    request.set_role(server % 2 == 0 ? v1::ROLE_PREFILL : v1::ROLE_DECODE);
    request.set_model("model");
    request.set_launch_id("launch");
    grpc::ClientContext context;
    context.set_deadline(DeadlineIn(kGiveUp));
    v1::RegisterRankResponse response;
    const grpc::Status status = stub_->RegisterRank(&context, request, &response);
    if (!status.ok()) std::fprintf(stderr, "%s\n", status.error_message().c_str());
    return status.ok();
  }

  bool Register() {
    const uint64_t before = ResidentBytes();
    for (uint32_t server = 0; server < options_.servers; ++server) {
      v1::RegisterServerRequest request;
      request.set_name(NameOf(server));
      request.set_launch_id("launch");
      request.set_role(server % 2 == 0 ? v1::ROLE_PREFILL : v1::ROLE_DECODE);
      request.set_model("model");
      *request.mutable_spec() = spec_;
      grpc::ClientContext context;
      context.set_deadline(DeadlineIn(kGiveUp));
      v1::RegisterServerResponse response;
      if (!stub_->RegisterServer(&context, request, &response).ok()) return false;
      incarnations_.push_back(response.incarnation());
      for (uint32_t rank = 0; rank < kRanksOfServer; ++rank) {
        const uint64_t epoch = 1000 + server * 10 + rank / kRanksOfAgent;
        if (!RegisterRank(server, response.incarnation(), rank, epoch)) return false;
      }
    }
    // The service keeps each server serialized once somebody asked for it.
    {
      auto first = MakeDirectory({address_}, nullptr);
      if (!WaitFor([&] { return first->synced(); })) return false;
      first->Stop();
    }
    const double ranks = options_.servers * kRanksOfServer;
    const double bytes = static_cast<double>(ResidentBytes() - before) / ranks;
    std::printf("memory of the service: %.0f B a rank, %.0f ranks (target: at most 1024)%s\n",
                bytes, ranks, bytes <= 1024 ? "" : "  MISSED");
    return true;
  }

  bool Snapshot() {
    const TimePoint start = Monotonic::now();
    for (uint32_t i = 0; i < options_.watchers; ++i) {
      seen_.push_back(std::make_unique<Seen>(&count_));
      watchers_.push_back(MakeDirectory({address_}, seen_.back().get()));
    }
    const bool done = WaitFor([&] {
      return std::all_of(watchers_.begin(), watchers_.end(),
                         [](const auto& watcher) { return watcher->synced(); });
    });
    const double took = MillisSince(start);
    std::printf("snapshot to %u watchers at once: %.0f ms (target: below 1000)%s\n",
                options_.watchers, took, took < 1000 ? "" : "  MISSED");
    return done;
  }

  bool Changes() {
    std::vector<double> rounds;
    for (uint32_t round = 0; round < options_.changes; ++round) {
      const uint32_t server = round * 37 % options_.servers;
      const uint64_t epoch = 1000000 + round;
      count_ = 0;
      for (auto& seen : seen_) seen->Await(epoch);
      const TimePoint start = Monotonic::now();
      // The agent of the server's first rank has restarted.
      if (!RegisterRank(server, incarnations_[server], 0, epoch)) return false;
      if (!WaitFor([&] { return count_ >= options_.watchers; })) return false;
      rounds.push_back(MillisSince(start));
    }
    std::sort(rounds.begin(), rounds.end());
    const double worst = rounds.back();
    std::printf(
        "a change to all %u watchers: median %.1f ms, worst of %zu %.1f ms "
        "(target: below 100)%s\n",
        options_.watchers, rounds[rounds.size() / 2], rounds.size(), worst,
        worst < 100 ? "" : "  MISSED");
    return true;
  }

  const std::string address_;
  const Options options_;
  const std::unique_ptr<v1::Bootstrap::Stub> stub_;
  const v1::ServerSpec spec_;
  std::vector<uint64_t> incarnations_;
  std::atomic<uint32_t> count_{0};
  std::vector<std::unique_ptr<Seen>> seen_;
  std::vector<std::unique_ptr<Directory>> watchers_;
};

int Main(int argc, char** argv) {
  Options options;
  ConfigTable table("watch_bench", "Figures of a watched registry.");
  table.Number("servers", &options.servers, {1, 4096}, "servers", "Servers of 32 ranks.");
  table.Number("watchers", &options.watchers, {1, 1000}, "watchers", "Watchers.");
  table.Number("changes", &options.changes, {1, 10000}, "changes", "Rounds of one change.");
  table.ParseOrExit(argc, argv);
  registry::BootstrapOptions service;
  service.lease_ms = 600000;  // nobody renews
  return bench::RunWithService("watch_bench", service, [&](const std::string& address) {
    return Bench(address, options).Run();
  });
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) { return baton::Main(argc, argv); }
