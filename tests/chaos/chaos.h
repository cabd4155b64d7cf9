// Real processes, rooms without end, and faults from a seed.
#ifndef BATON_TESTS_CHAOS_CHAOS_H_
#define BATON_TESTS_CHAOS_CHAOS_H_

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "tests/chaos/device_objects.h"
#include "tests/chaos/fault_draw.h"
#include "tests/chaos/ledger.h"
#include "tests/chaos/pod.h"
#include "tests/demo/router/room_draw.h"
#include "tests/demo/workload/arrivals.h"

namespace baton::chaos {

struct ChaosOptions {
  demo::Programs programs;
  std::string folder;
  std::string transport = "auto";
  bool checksums = false;
  std::chrono::milliseconds faults_for{60000};
  uint64_t seed = 1;
  // Of each pair of pods, so that one that hangs holds up no other.
  uint64_t rooms_in_flight = 4;
  std::vector<demo::Request> trace;
  // Flips a landed byte of every room, to see that it is noticed.
  bool corrupt = false;
  // Everything is restarted once, one by one, instead of random faults; see rolling.cc.
  bool rolling = false;
  // The bootstrap service's and each pod's; empty: all here.
  std::vector<Place> places;
  std::function<bool()> interrupted;
};

struct ChaosResult {
  LedgerCounts rooms;
  std::map<FaultKind, uint64_t> faults;
  std::vector<std::string> violations;
  // How often the machine had no time for this process either.
  uint64_t stalls = 0;

  uint64_t faults_total() const;
};

// Two prefill and two decode pods. Thread-compatible; used from the main thread.
class Chaos {
 public:
  explicit Chaos(ChaosOptions options);

  // Faults for the time given; then everything heals, every pair of pods must serve again, nothing
  // may have leaked and no page may have been touched that no room had. An error when it could not
  // be run at all.
  absl::Status Run();
  ChaosResult Result() const;

 private:
  static constexpr uint32_t kPods = 4;

  absl::Status Start();
  absl::StatusOr<std::unique_ptr<demo::Child>> StartBootstrap();
  // One turn: heals, opens, reads, waits a little.
  absl::Status Turn(TimePoint now, bool open_rooms);
  void Hit(TimePoint now);
  absl::Status HitUntilTheEnd();
  void HitWith(const Fault& fault, TimePoint now);
  absl::Status RollEverything();
  absl::Status RestartPod(uint32_t pod);
  // Under load, until all have been well for long enough that no room may fail.
  absl::Status AwaitAllWell();
  Place PlaceOf(uint32_t party) const;
  std::string BootstrapAddress() const;
  void HealAll(TimePoint now);
  RoomKey OpenRoom(uint32_t prefill, uint32_t decode, TimePoint now);
  void OpenRooms(TimePoint now);
  bool IsWell(uint32_t pod, TimePoint now) const;
  // Runs on while `busy` says so, at most until `deadline`. False at the deadline.
  absl::StatusOr<bool> RunWhile(bool open_rooms, TimePoint deadline,
                                const std::function<bool()>& busy);
  absl::Status Drain();
  absl::Status ProbeAllPairs();
  absl::Status CheckLeaks();
  // They hold no more than before the faults.
  absl::Status CheckDevices(const DeviceObjects& at_start);
  absl::Status CheckCanaries();
  void ShowProgress(TimePoint now);
  // Sleeps until a pod says something, a few milliseconds at most, and notices when it was longer.
  void Await(std::vector<pollfd>* links);

  const ChaosOptions options_;
  const std::string bootstrap_address_;
  FaultDraw draw_;
  std::mt19937_64 random_;
  demo::Arrivals arrivals_;
  demo::RoomDraw rooms_;
  Party bootstrap_;
  std::vector<std::unique_ptr<Pod>> pods_;
  Ledger ledger_;
  std::map<FaultKind, uint64_t> faults_;
  uint64_t drawn_rooms_ = 0;
  uint32_t finals_ = 0;
  uint64_t stalls_ = 0;
  TimePoint stalled_;
  TimePoint start_;
  TimePoint next_fault_;
  TimePoint next_room_;
  TimePoint shown_;
  TimePoint bootstrap_well_since_;
};

}  // namespace baton::chaos

#endif  // BATON_TESTS_CHAOS_CHAOS_H_
