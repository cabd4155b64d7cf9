// What it costs that nobody names a room's prefill dp rank: from both legs being open to the source
// knowing its target's pages, with the dp rank named and without it in turn, in one run, at several
// rates. The prefill server has two dp ranks. Each room then moves one page and ends. Real
// processes; both engines are this program. Target: twice the time with the dp rank named.
#include <sys/prctl.h>

#include <algorithm>
#include <cstdio>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/cluster.h"
#include "client/engine/engine_client.h"
#include "common/clock.h"
#include "common/config/config.h"
#include "common/log.h"
#include "common/memfd.h"
#include "planner/layout_builder.h"
#include "tests/support/process_usage.h"

namespace baton {
namespace {

constexpr uint32_t kPageTokens = 16;
constexpr uint32_t kPages = 1024;
constexpr uint32_t kPrefillDps = 2;
constexpr auto kPause = std::chrono::microseconds(20);
constexpr auto kPatience = std::chrono::seconds(30);

struct Options {
  uint32_t seconds = 3;
  uint32_t rounds = 3;
  std::vector<std::string> rates;
};

planner::ServerSpec Spec(uint32_t dp) {
  planner::ServerSpec spec;
  spec.sizes = {dp, 1, 1, 1};
  spec.stages = {{0}};
  spec.page_groups = {{kPageTokens}};
  planner::TensorSpec tensor;
  tensor.kind = planner::Kind::kK;
  tensor.layers = {0};
  tensor.dtype = "bf16";
  tensor.heads = 1;
  tensor.head_bytes = 16;
  spec.tensors.push_back(tensor);
  return spec;
}

struct Engine {
  UniqueFd pool;
  std::unique_ptr<EngineClient> client;
};

Engine Attach(const std::string& socket, const std::string& server, Role role, uint32_t dps,
              uint32_t dp) {
  EngineOptions options;
  options.agent_socket = socket;
  options.server = server;
  options.launch_id = "bench";
  options.role = role;
  options.coord = {dp, 0, 0, 0};
  options.spec = Spec(dps);
  options.slots = 16384;
  options.ring_bytes = 4 << 20;
  auto built = planner::BuildLayout(options.spec, options.coord, {.pages = {kPages}, .rows = 1});
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

struct Room {
  uint32_t dp = 0;
  int32_t page = 0;
  RoomHandle source;
  RoomHandle target;
  TimePoint opened;
  bool sent = false;
};

struct Seen {
  std::vector<double> millis;
  uint32_t lost = 0;
};

double At(std::vector<double> values, double share) {
  if (values.empty()) return -1;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<size_t>(share * values.size()))];
}

class Bench {
 public:
  explicit Bench(const char* argv0) : cluster_(argv0) {
    const std::string bootstrap = cluster_.RunBootstrap("127.0.0.1:0");
    pids_ = {cluster_.RunAgent("p", bootstrap, {}), cluster_.RunAgent("d", bootstrap, {})};
    for (uint32_t dp = 0; dp < kPrefillDps; ++dp) {
      prefill_.push_back(
          Attach(cluster_.AttachSocket("p"), "prefill", Role::kPrefill, kPrefillDps, dp));
    }
    decode_ = Attach(cluster_.AttachSocket("d"), "decode", Role::kDecode, 1, 0);
  }

  // Until both servers know each other.
  void WarmUp() {
    for (bool named : {true, false}) Run(20, 1, named);
  }

  void Measure(const Options& options, uint32_t rate) {
    std::map<bool, std::vector<double>> p50, p99, cpu;
    uint32_t lost = 0;
    for (uint32_t round = 0; round < options.rounds; ++round) {
      for (bool named : {true, false}) {
        const double before = CpuSeconds();
        const Seen seen = Run(rate, options.seconds, named);
        p50[named].push_back(At(seen.millis, 0.5));
        p99[named].push_back(At(seen.millis, 0.99));
        cpu[named].push_back(1e6 * (CpuSeconds() - before) / (rate * options.seconds));
        lost += seen.lost;
      }
    }
    const double ratio = At(p50[false], 0.5) / At(p50[true], 0.5);
    std::printf(
        "%5u rooms/s  named p50 %6.3f ms p99 %6.3f ms %4.0f us CPU   not named p50 %6.3f ms "
        "p99 %6.3f ms %4.0f us CPU   lost %u   agents hold %llu and %llu KiB   %.2f times   "
        "target <= 2   %s\n",
        rate, At(p50[true], 0.5), At(p99[true], 0.5), At(cpu[true], 0.5), At(p50[false], 0.5),
        At(p99[false], 0.5), At(cpu[false], 0.5), lost, Kib(pids_[0]), Kib(pids_[1]), ratio,
        ratio <= 2 && lost == 0 ? "reached" : "MISSED");
    std::fflush(stdout);
  }

 private:
  static unsigned long long Kib(pid_t pid) { return UsageOf(pid).anonymous_bytes >> 10; }

  // Of both agents.
  double CpuSeconds() const {
    double seconds = 0;
    for (pid_t pid : pids_) seconds += UsageOf(pid).cpu_seconds;
    return seconds;
  }

  Seen Run(uint32_t rate, uint32_t seconds, bool named) {
    Seen seen;
    std::list<Room> open;
    const uint32_t rooms = rate * seconds;
    const TimePoint begin = Monotonic::now();
    const TimePoint gives_up = begin + std::chrono::seconds(seconds) + kPatience;
    for (uint32_t opened = 0; opened < rooms || !open.empty();) {
      const TimePoint now = Monotonic::now();
      CHECK(now < gives_up) << open.size() << " rooms have not ended";
      while (opened < rooms &&
             now >= begin + std::chrono::nanoseconds(1'000'000'000 / rate) * opened) {
        seen.lost += !Open(opened++, named, &open);
      }
      for (auto it = open.begin(); it != open.end();) {
        auto room = it++;
        if (Step(&*room, &seen)) open.erase(room);
      }
      std::this_thread::sleep_for(kPause);
    }
    return seen;
  }

  bool Open(uint32_t number, bool named, std::list<Room>* open) {
    const RoomKey key{++rooms_, 1};
    // As much as a request may still take.
    const auto left = std::chrono::milliseconds(5000 + number * 7919 % 115000);
    Room room;
    room.dp = number % kPrefillDps;
    room.page = static_cast<int32_t>(number % kPages);
    auto source = prefill_[room.dp].client->OpenSend({key, kPageTokens, left});
    ReceiveRoom receive;
    receive.room = key;
    receive.prefill_server = "prefill";
    if (named) receive.prefill_dp = room.dp;
    receive.total_tokens = kPageTokens;
    receive.pages = {absl::MakeConstSpan(&room.page, 1)};
    receive.time_left = left;
    auto target = decode_.client->OpenReceive(receive);
    if (!source.ok() || !target.ok()) {
      if (source.ok()) prefill_[room.dp].client->Close(*source);
      if (target.ok()) decode_.client->Close(*target);
      return false;
    }
    room.opened = Monotonic::now();
    room.source = *source;
    room.target = *target;
    open->push_back(room);
    return true;
  }

  // True once it is over.
  bool Step(Room* room, Seen* seen) {
    EngineClient& prefill = *prefill_[room->dp].client;
    const RoomStatus source = prefill.Poll(room->source);
    if (!room->sent && source.phase == RoomPhase::kOffered) {
      const std::chrono::duration<double, std::milli> took = Monotonic::now() - room->opened;
      seen->millis.push_back(took.count());
      Chunk chunk;
      chunk.token_end = kPageTokens;
      chunk.is_last_chunk = true;
      chunk.pages = {absl::MakeConstSpan(&room->page, 1)};
      room->sent = prefill.Send(room->source, chunk).ok();
    }
    const RoomStatus target = decode_.client->Poll(room->target);
    if (!IsTerminal(source) || !IsTerminal(target)) return false;
    if (source.phase != RoomPhase::kDone || target.phase != RoomPhase::kDone) {
      if (seen->lost++ == 0) LOG(ERROR) << "lost: " << decode_.client->Cause(room->target);
    }
    prefill.Close(room->source);
    decode_.client->Close(room->target);
    return true;
  }

  bench::Cluster cluster_;
  std::vector<pid_t> pids_;
  std::vector<Engine> prefill_;
  Engine decode_;
  uint64_t rooms_ = 0;
};

int Main(int argc, char** argv) {
  Options options;
  ConfigTable table("offer_bench", "What it costs that nobody names a room's dp rank.");
  table.Number("seconds", &options.seconds, {1, 600}, "s", "Of each rate, way and round.");
  table.Number("rounds", &options.rounds, {1, 100}, "", "Medians are taken of so many.");
  table.List("rate", &options.rates, "rooms/s", "500, 2000 and 5000 when left out.");
  table.ParseOrExit(argc, argv);
  if (options.rates.empty()) options.rates = {"500", "2000", "5000"};
  prctl(PR_SET_TIMERSLACK, 1);
  Bench bench(argv[0]);
  bench.WarmUp();
  for (const std::string& rate : options.rates) {
    bench.Measure(options, static_cast<uint32_t>(std::max(1, std::atoi(rate.c_str()))));
  }
  return 0;
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) {
#ifndef __OPTIMIZE__
  fprintf(stderr, "offer_bench: not an optimised build; use make bench\n");
  return 1;
#endif
  baton::InitLog(argv[0]);
  return baton::Main(argc, argv);
}
