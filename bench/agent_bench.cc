// What an agent costs while nothing moves: CPU of an idle agent with eight ranks, the time of one
// scrape of it, and memory of a room that waits, at its target and at its source. Real processes;
// the engines are this program.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "admin/http_get.h"
#include "bench/cluster.h"
#include "client/engine/engine_client.h"
#include "common/log.h"
#include "common/memfd.h"
#include "planner/layout_builder.h"

namespace baton {
namespace {

constexpr int kRounds = 5;
constexpr auto kRound = std::chrono::seconds(3);
constexpr uint32_t kRooms = 30000;
constexpr uint32_t kPagesPerRoom = 64;
constexpr uint32_t kPageTokens = 16;
constexpr uint32_t kRanks = 8;

planner::ServerSpec Spec(uint32_t tp) {
  planner::ServerSpec spec;
  spec.sizes = {1, 1, 1, tp};
  spec.stages = {{0, 1}};
  spec.page_groups = {{kPageTokens}};
  for (planner::Kind kind : {planner::Kind::kK, planner::Kind::kV}) {
    planner::TensorSpec tensor;
    tensor.kind = kind;
    tensor.layers = {0, 1};
    tensor.dtype = "bf16";
    tensor.heads = kRanks;
    tensor.head_bytes = 16;
    tensor.tp_sharded = true;
    spec.tensors.push_back(tensor);
  }
  return spec;
}

// One attached engine rank with its pool.
struct Engine {
  UniqueFd pool;
  std::unique_ptr<EngineClient> client;
};

Engine Attach(const std::string& socket, const std::string& server, Role role, uint32_t tp,
              uint32_t rank) {
  EngineOptions options;
  options.agent_socket = socket;
  options.server = server;
  options.launch_id = "bench";
  options.role = role;
  options.coord = {0, 0, 0, rank};
  options.spec = Spec(tp);
  options.slots = kRooms;
  auto built = planner::BuildLayout(options.spec, options.coord, {.pages = {1024}, .rows = 1});
  CHECK(built.ok()) << built.status();
  options.layout = built->layout;
  auto pool = CreateSealedMemfd("bench-pool", built->region_sizes[0]);
  CHECK(pool.ok()) << pool.status();
  Engine engine;
  engine.pool = *std::move(pool);
  options.regions = {{"pool", engine.pool.get(), built->region_sizes[0], false}};
  auto client = EngineClient::Attach(options);
  CHECK(client.ok()) << client.status();
  engine.client = *std::move(client);
  return engine;
}

double CpuSeconds(pid_t pid) {
  std::ifstream stat(absl::StrCat("/proc/", pid, "/stat"));
  std::string field;
  uint64_t ticks = 0;
  // utime and stime are fields 14 and 15; the program's name has no space.
  for (int i = 1; i <= 15 && (stat >> field); ++i) {
    if (i >= 14) ticks += std::stoull(field);
  }
  return static_cast<double>(ticks) / sysconf(_SC_CLK_TCK);
}

uint64_t ResidentBytes(pid_t pid) {
  std::ifstream statm(absl::StrCat("/proc/", pid, "/statm"));
  uint64_t size = 0, resident = 0, shared = 0;
  statm >> size >> resident >> shared;
  // Pools and rings are shared; what the agent itself allocates is not.
  return (resident - shared) * sysconf(_SC_PAGESIZE);
}

void MeasureIdle(pid_t agent) {
  std::vector<double> percents;
  for (int round = 0; round < kRounds; ++round) {
    const double before = CpuSeconds(agent);
    std::this_thread::sleep_for(kRound);
    const double seconds = std::chrono::duration<double>(kRound).count();
    percents.push_back(100 * (CpuSeconds(agent) - before) / seconds);
  }
  std::sort(percents.begin(), percents.end());
  const double median = percents[percents.size() / 2];
  printf("%-58s %8.2f %%   target <= 1 %%   %s\n", "CPU of an idle agent with 8 ranks, of one core",
         median, median <= 1 ? "reached" : "MISSED");
}

// From the connection to the last byte, as Prometheus would ask.
void MeasureGet(const std::string& address, const std::string& path, double limit_ms) {
  constexpr int kScrapes = 200;
  std::vector<double> times_ms;
  size_t bytes = 0;
  for (int i = 0; i < kScrapes; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const admin::HttpReply reply = admin::HttpGet(address, path);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    CHECK_EQ(reply.status, 200);
    bytes = reply.body.size();
    times_ms.push_back(took.count());
  }
  std::sort(times_ms.begin(), times_ms.end());
  const double p99 = times_ms[kScrapes * 99 / 100];
  printf(
      "GET %-8s of an agent with 8 ranks, %6zu B: %6.2f ms, 99 %% in %6.2f ms   "
      "target <= %.0f ms   %s\n",
      path.c_str(), bytes, times_ms[kScrapes / 2], p99, limit_ms,
      p99 <= limit_ms ? "reached" : "MISSED");
}

void MeasureRooms(Engine& decode, pid_t source, pid_t target) {
  const uint64_t source_before = ResidentBytes(source);
  const uint64_t target_before = ResidentBytes(target);
  std::vector<int32_t> pages(kPagesPerRoom);
  std::vector<RoomHandle> rooms;
  for (uint32_t i = 0; i < kRooms; ++i) {
    for (uint32_t p = 0; p < kPagesPerRoom; ++p) pages[p] = (i * 131 + p * 17) % 1024;
    ReceiveRoom room;
    room.room = {i, 1};
    room.prefill_server = "prefill";
    room.prefill_dp = 0;
    room.total_tokens = kPagesPerRoom * kPageTokens;
    room.pages = {pages};
    room.time_left = std::chrono::minutes(10);
    auto opened = decode.client->OpenReceive(room);
    for (int tries = 0; !opened.ok() && tries < 10000; ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      opened = decode.client->OpenReceive(room);
    }
    CHECK(opened.ok()) << opened.status();
    rooms.push_back(*opened);
  }
  for (const RoomHandle& room : rooms) {
    for (int i = 0; i < 30000 && decode.client->Poll(room).phase == RoomPhase::kOpen; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    CHECK(decode.client->Poll(room).phase == RoomPhase::kOffered) << decode.client->Cause(room);
  }
  // Offers are acknowledged, so that what is counted is the rooms and not their replay buffers.
  std::this_thread::sleep_for(std::chrono::seconds(2));
  const double limit = 2048 + 4 * kPagesPerRoom;
  auto print = [&](const char* side, pid_t pid, uint64_t before) {
    const double bytes = (static_cast<double>(ResidentBytes(pid)) - before) / kRooms;
    printf("memory of a waiting room of %u pages, %-23s %8.0f B   target <= %.0f B   %s\n",
           kPagesPerRoom, side, bytes, limit, bytes <= limit ? "reached" : "MISSED");
  };
  print("at its target", target, target_before);
  print("held at its source", source, source_before);
}

void Bench(const char* argv0) {
  bench::Cluster cluster(argv0);
  const std::string bootstrap = cluster.RunBootstrap("127.0.0.1:0");
  const std::vector<std::string> flags = {"--admin_listen=127.0.0.1:0"};
  const pid_t source = cluster.RunAgent("p", bootstrap, flags);
  const pid_t target = cluster.RunAgent("d", bootstrap, flags);
  Engine prefill = Attach(cluster.AttachSocket("p"), "prefill", Role::kPrefill, 1, 0);
  std::vector<Engine> decode;
  for (uint32_t rank = 0; rank < kRanks; ++rank) {
    decode.push_back(Attach(cluster.AttachSocket("d"), "decode", Role::kDecode, kRanks, rank));
  }
  std::this_thread::sleep_for(std::chrono::seconds(2));
  MeasureIdle(target);
  MeasureGet(cluster.Admin("d"), "/metrics", 20);
  MeasureGet(cluster.Admin("d"), "/", 20);
  MeasureRooms(decode[0], source, target);
}

}  // namespace
}  // namespace baton

int main(int, char** argv) {
#ifndef __OPTIMIZE__
  fprintf(stderr, "agent_bench: not an optimised build; use make bench\n");
  return 1;
#endif
  baton::InitLog(argv[0]);
  baton::Bench(argv[0]);
  return 0;
}
