// A service's traffic for a long time at the highest rate that the machine carries, and a restart
// now and then: nothing is lost but what was in a process that was ended, and nothing grows.
#ifndef BATON_TESTS_SOAK_SOAK_H_
#define BATON_TESTS_SOAK_SOAK_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/chaos/ledger.h"
#include "tests/chaos/pod.h"
#include "tests/demo/router/room_draw.h"
#include "tests/demo/workload/arrivals.h"
#include "tests/soak/pace.h"
#include "tests/soak/restarts.h"
#include "tests/soak/sampler.h"

namespace baton::soak {

struct SoakOptions {
  demo::Programs programs;
  std::string folder;
  std::string transport = "auto";
  double seconds = 3600;
  double rate = 0;  // rooms a second; 0: what is carried
  double restart_every_s = 60;
  double sample_every_s = 5;
  uint64_t seed = 1;
  std::vector<demo::Request> trace;
  // How often somebody asked it to end: once, the load does; twice, all of it.
  std::function<int()> interrupts;
};

struct SoakResult {
  chaos::LedgerCounts rooms;
  std::vector<std::string> violations;
  std::map<chaos::FaultKind, uint64_t> restarts;
  uint64_t live_at_restarts = 0;  // rooms of the process, when it was ended
  uint64_t stalls = 0;            // of the machine: no process had time
  uint64_t live_at_stalls = 0;
  double seconds = 0;  // under load
  double last_rate = 0;
  double best_rate = 0;  // of any minute
  double cpu_seconds = 0;
  Series series;
};

// Two prefill servers of two dp ranks, two decode servers of two tp ranks. Thread-compatible; used
// from the main thread.
class Soak {
 public:
  explicit Soak(SoakOptions options);

  // An error when it could not be run at all.
  absl::Status Run();
  SoakResult Result() const;

 private:
  static constexpr uint32_t kPods = 4;

  absl::Status Start();
  absl::StatusOr<std::unique_ptr<demo::Child>> StartBootstrap();
  void Watch();
  // Rooms between all servers; then all is idle, and what is held is what must be held again.
  absl::Status WarmUp();
  absl::Status Load();
  absl::Status CheckEnd();
  absl::Status AwaitIdle();
  // One turn: heals, opens, reads, waits a little.
  absl::Status Turn(TimePoint now, bool open_rooms);
  absl::StatusOr<bool> RunWhile(bool open_rooms, TimePoint deadline,
                                const std::function<bool()>& busy);
  void RestartOne(TimePoint now);
  size_t LiveRooms(uint32_t pod) const;
  void Heal(TimePoint now);
  void TakeReports();
  void OpenRooms(TimePoint now);
  void OpenRoom(uint32_t prefill, uint32_t decode, TimePoint now);
  // Waits for rooms' reports for a few milliseconds, and notices when it was far longer.
  void Await();
  void ShowProgress(TimePoint now);
  bool AllServe() const;

  const SoakOptions options_;
  const std::string bootstrap_address_;
  const std::string bootstrap_admin_;
  demo::Arrivals arrivals_;
  demo::RoomDraw rooms_;
  Restarts restarts_;
  std::optional<chaos::Fault> fault_;  // due
  Pace pace_;
  std::mt19937_64 random_;
  chaos::Party bootstrap_;
  std::vector<std::unique_ptr<chaos::Pod>> pods_;
  std::vector<std::string> admins_;
  std::unique_ptr<Sampler> sampler_;
  std::map<SeriesKey, double> idle_;
  chaos::Ledger ledger_;
  SoakResult result_;
  bool serves_[kPods] = {};
  demo::Arrival next_;
  double trace_rate_ = 1;    // requests a second, as it was recorded
  Duration trace_clock_{0};  // what of the trace is due
  uint64_t drawn_ = 0;
  uint32_t finals_ = 0;
  uint64_t done_at_minute_ = 0;
  TimePoint start_, turned_, asked_, shown_, minute_, next_restart_, next_sample_;
};

}  // namespace baton::soak

#endif  // BATON_TESTS_SOAK_SOAK_H_
