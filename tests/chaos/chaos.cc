#include "tests/chaos/chaos.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kRoomDeadline{8000};
constexpr milliseconds kRoomPace{4};
// A pod that nothing befell for so long serves: silence, lease and backoffs have passed.
constexpr seconds kRecovery{8};
// So long the same two pods are spared.
constexpr seconds kEra{20};
// A sleep of this process that lasts so long: the processes under test had no turn either, and what
// they wait for from each other may be late by as much.
constexpr seconds kStall{1};
constexpr int kSleepMs = 4;

demo::RoomDrawOptions DrawOptions(uint64_t seed) {
  demo::RoomDrawOptions options;
  options.seed = seed;
  options.room_deadline_ms = kRoomDeadline.count();
  return options;
}

}  // namespace

uint64_t ChaosResult::faults_total() const {
  uint64_t total = 0;
  for (const auto& [kind, count] : faults) total += count;
  return total;
}

Chaos::Chaos(ChaosOptions options)
    : options_(std::move(options)),
      bootstrap_address_(BootstrapAddress()),
      draw_(options_.seed, kPods),
      random_(options_.seed + 1),
      arrivals_(options_.trace, {1.0 / 64, 0, 512}),
      rooms_(DrawOptions(options_.seed + 2)),
      bootstrap_("bootstrap", [this] { return StartBootstrap(); }) {}

absl::StatusOr<std::unique_ptr<demo::Child>> Chaos::StartBootstrap() {
  return demo::Child::Start(
      {"bootstrap",
       PlaceOf(0).Wrap({options_.programs.bootstrap, "--listen=" + bootstrap_address_}),
       options_.folder + "/bootstrap.log"});
}

// The bootstrap service is 0, pod i is i + 1.
Place Chaos::PlaceOf(uint32_t party) const {
  return options_.places.empty() ? Place() : options_.places[party];
}

std::string Chaos::BootstrapAddress() const {
  return PlaceOf(0).here() ? FreeAddress() : PlaceOf(0).host + ":7411";
}

absl::Status Chaos::Start() {
  absl::Status status = bootstrap_.Start();
  for (uint32_t i = 0; i < kPods && status.ok(); ++i) {
    PodOptions pod;
    pod.programs = options_.programs;
    pod.folder = options_.folder;
    pod.bootstrap = bootstrap_address_;
    pod.transport = options_.transport;
    pod.checksums = options_.checksums;
    pod.number = i;
    pod.place = PlaceOf(i + 1);
    pod.prefill = i < kPods / 2;
    pod.seed = options_.seed * 1000 + i;
    pod.preset = "gqa";
    // Pages of different sizes on the two sides, so that runs are cut.
    pod.topology = pod.prefill ? "tp2" : "tp2,page24";
    pods_.push_back(std::make_unique<Pod>(std::move(pod)));
    status = pods_.back()->Start();
  }
  start_ = shown_ = bootstrap_well_since_ = Monotonic::now();
  return status;
}

absl::Status Chaos::Run() {
  absl::Status status = Start();
  if (status.ok()) status = ProbeAllPairs();
  if (!status.ok() || !ledger_.violations().empty()) return status;
  DeviceObjects at_start;
  if (options_.transport == "verbs") {
    auto counted = CountDeviceObjects();
    if (!counted.ok()) return counted.status();
    at_start = *counted;
  }
  start_ = Monotonic::now();
  status = options_.rolling ? RollEverything() : HitUntilTheEnd();
  if (status.ok()) status = Drain();
  if (status.ok()) status = ProbeAllPairs();
  if (status.ok()) status = CheckLeaks();
  if (status.ok() && options_.transport == "verbs") status = CheckDevices(at_start);
  if (status.ok()) status = CheckCanaries();
  for (auto& pod : pods_) pod->End();
  bootstrap_.End();
  return status;
}

absl::Status Chaos::HitUntilTheEnd() {
  next_fault_ = start_ + milliseconds(500);
  const TimePoint end = start_ + options_.faults_for;
  absl::Status status;
  while (status.ok() && Monotonic::now() < end) {
    Hit(Monotonic::now());
    status = Turn(Monotonic::now(), true);
  }
  return status;
}

ChaosResult Chaos::Result() const {
  return {ledger_.counts(), faults_, ledger_.violations(), stalls_};
}

void Chaos::Hit(TimePoint now) {
  if (now < next_fault_) return;
  const uint64_t era = (now - start_) / kEra;
  const Fault fault = draw_.Next(era % 2, kPods / 2 + era / 2 % 2, era % 2 == 1);
  next_fault_ = now + fault.until_next;
  HitWith(fault, now);
}

void Chaos::HitWith(const Fault& fault, TimePoint now) {
  ++faults_[fault.kind];
  if (fault.kind == FaultKind::kRestartBootstrap) bootstrap_.Drain(now);
  if (fault.kind == FaultKind::kKillBootstrap) bootstrap_.Kill(now + fault.lasts);
  if (fault.kind == FaultKind::kStopBootstrap) bootstrap_.Stop(now + fault.lasts);
  if (HitsBootstrap(fault.kind)) return;
  Pod& pod = *pods_[fault.pod];
  pod.Suffer(fault, now);
  if (fault.kind == FaultKind::kCutLinks || fault.kind == FaultKind::kSlowLinks) return;
  if (pod.engine_dead()) {
    ledger_.Gone(fault.pod);
  } else if (fault.kind == FaultKind::kDrainAgent) {
    ledger_.Draining(fault.pod, now);
  } else {
    ledger_.Disturbed(fault.pod);
  }
  ledger_.Delayed(fault.pod, fault.lasts);
}

absl::Status Chaos::Turn(TimePoint now, bool open_rooms) {
  if (options_.interrupted()) return Error(Reason::kAborted, "interrupted");
  auto bootstrap_alive = bootstrap_.Check();
  if (!bootstrap_alive.ok()) ledger_.Violation(std::string(bootstrap_alive.message()));
  auto healed = bootstrap_.Heal(now);
  if (!healed.ok()) return healed.status();
  if (*healed) bootstrap_well_since_ = now;
  std::vector<pollfd> polls;
  for (uint32_t i = 0; i < kPods; ++i) {
    absl::Status status = pods_[i]->Heal(now);
    if (!status.ok()) {
      ledger_.Gone(i);
      ledger_.Violation(std::string(status.message()));
    }
    polls.push_back({pods_[i]->link(), POLLIN, 0});
  }
  if (open_rooms) OpenRooms(now);
  Await(&polls);
  for (uint32_t i = 0; i < kPods; ++i) {
    absl::Status taken = pods_[i]->TakeReports([&](const demo::v1::FromEngine& message) {
      if (message.has_room()) ledger_.Reported(i, message.room());
      if (message.has_final()) ledger_.Finished(i, message.final());
      finals_ += message.has_final();
    });
    if (!taken.ok()) ledger_.Violation(std::string(taken.message()));
  }
  ledger_.CheckOverdue(now);
  ShowProgress(now);
  return absl::OkStatus();
}

void Chaos::Await(std::vector<pollfd>* links) {
  const TimePoint asleep = Monotonic::now();
  poll(links->data(), links->size(), kSleepMs);
  const TimePoint now = Monotonic::now();
  if (now - asleep < kStall) return;
  ++stalls_;
  stalled_ = now;
  for (uint32_t i = 0; i < kPods; ++i) ledger_.Disturbed(i);
}

bool Chaos::IsWell(uint32_t pod, TimePoint now) const {
  const TimePoint since = std::max(pods_[pod]->well_since(), stalled_);
  return since <= now && now - since >= kRecovery;
}

RoomKey Chaos::OpenRoom(uint32_t prefill, uint32_t decode, TimePoint now) {
  demo::Arrival arrival = arrivals_.Next();
  const RoomKey key{++drawn_rooms_ % 64 == 0 ? 0 : drawn_rooms_ * 0x9e3779b97f4a7c15, drawn_rooms_};
  demo::DrawnRoom room = rooms_.Next(arrival, {key, pods_[prefill]->server(), 0, 0});
  room.decode.set_corrupt(options_.corrupt);
  const bool bootstrap_well = bootstrap_.up() && now - bootstrap_well_since_ >= kRecovery;
  const bool calm = bootstrap_well && IsWell(prefill, now) && IsWell(decode, now);
  ledger_.Opened(key, {prefill, Pod::kRanks}, {decode, Pod::kRanks}, calm, now,
                 now + kRoomDeadline);
  pods_[prefill]->Open(room.prefill);
  pods_[decode]->Open(room.decode);
  return key;
}

void Chaos::OpenRooms(TimePoint now) {
  if (now < next_room_) return;
  const auto prefill = static_cast<uint32_t>(random_() % (kPods / 2));
  const auto decode = static_cast<uint32_t>(kPods / 2 + random_() % (kPods / 2));
  if (!pods_[prefill]->engine_ready() || !pods_[decode]->engine_ready()) return;
  if (ledger_.open(prefill, decode) >= options_.rooms_in_flight) return;
  next_room_ = now + kRoomPace;
  OpenRoom(prefill, decode, now);
}

void Chaos::ShowProgress(TimePoint now) {
  if (now - shown_ < seconds(5)) return;
  shown_ = now;
  const LedgerCounts& counts = ledger_.counts();
  std::printf(
      "  %3lld s  rooms %llu done, %llu failed (%zu in flight)  faults %llu  violations %zu\n",
      static_cast<long long>((now - start_) / seconds(1)),
      static_cast<unsigned long long>(counts.done), static_cast<unsigned long long>(counts.failed),
      ledger_.open(), static_cast<unsigned long long>(Result().faults_total()),
      ledger_.violations().size());
  std::fflush(stdout);
}

}  // namespace baton::chaos
