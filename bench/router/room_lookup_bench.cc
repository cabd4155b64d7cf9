// Rooms whose dp rank the router does not name: from a target's asking to its hearing, while a
// source binds as many rooms as a dp group opens, each for as long as its request may still take (5
// to 120 s). Half of the targets ask before the source binds. Service, source and target share this
// process and its cores. Target: below a millisecond at 5 000 rooms a second.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/bootstrap/live_service.h"
#include "client/bootstrap/directory.h"
#include "common/clock.h"
#include "common/config/config.h"

namespace baton {
namespace {

struct Options {
  uint32_t rate = 500;
  uint32_t seconds = 10;
  uint32_t waiting = 0;
};

// What became of the rooms; written by the target directory's thread.
struct Heard {
  explicit Heard(size_t rooms) : millis(rooms, -1) {}
  std::vector<double> millis;  // -1: nothing
  std::atomic<size_t> answers{0};
  std::atomic<size_t> lost{0};
};

double At(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return -1;
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(share * sorted.size()))];
}

bool Measure(const Options& o, const std::string& address) {
  DirectoryOptions options;
  options.bootstrap_address = address;
  auto source = MakeDirectory(options, nullptr);
  auto target = MakeDirectory(options, nullptr);
  // Rooms whose prefill does not come for a while.
  for (uint32_t i = 0; i < o.waiting; ++i) {
    target->LookupRoom("p", {i, 2}, std::chrono::minutes(2), [](const auto&) {});
  }
  const size_t rooms = size_t{o.rate} * o.seconds;
  Heard heard(rooms);
  const TimePoint begin = Monotonic::now();
  auto look = [&](size_t room) {
    const TimePoint asked = Monotonic::now();
    target->LookupRoom("p", {room, 1}, std::chrono::seconds(20),
                       [&heard, room, asked](const absl::StatusOr<uint32_t>& dp) {
                         if (dp.ok()) heard.millis[room] = bench::MillisSince(asked);
                         if (!dp.ok()) ++heard.lost;
                         ++heard.answers;
                       });
  };
  for (size_t room = 0; room < rooms; ++room) {
    std::this_thread::sleep_until(begin + std::chrono::nanoseconds(1'000'000'000 / o.rate) * room);
    const auto left = std::chrono::milliseconds(5000 + room * 7919 % 115000);
    if (room % 2 == 0) look(room);
    source->BindRoom("p", {room, 1}, room % 2, left);
    if (room % 2 != 0) look(room);
  }
  if (!bench::WaitFor([&] { return heard.answers == rooms; })) return false;
  std::vector<double> millis;
  for (double ms : heard.millis) {
    if (ms >= 0) millis.push_back(ms);
  }
  std::sort(millis.begin(), millis.end());
  std::printf(
      "%u rooms/s, %u wait for long: p50 %.3f ms, p99 %.3f ms, worst %.3f ms, "
      "%zu of %zu lost\n",
      o.rate, o.waiting, At(millis, 0.5), At(millis, 0.99), At(millis, 1), heard.lost.load(),
      rooms);
  return true;
}

int Main(int argc, char** argv) {
  Options options;
  ConfigTable table("room_lookup_bench", "How long a room's dp rank takes to be known.");
  table.Number("rate", &options.rate, {1, 100000}, "rooms", "Rooms a second.");
  table.Number("seconds", &options.seconds, {1, 600}, "s", "How long.");
  table.Number("waiting", &options.waiting, {0, 60000}, "rooms",
               "Rooms that wait all the while and are not bound.");
  table.ParseOrExit(argc, argv);
  return bench::RunWithService(
      "room_lookup_bench", registry::BootstrapOptions(),
      [&](const std::string& address) { return Measure(options, address); });
}

}  // namespace
}  // namespace baton

int main(int argc, char** argv) { return baton::Main(argc, argv); }
