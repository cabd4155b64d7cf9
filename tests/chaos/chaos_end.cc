// What must hold once everything has healed.
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/chaos/chaos.h"
#include "tests/demo/runner/control_calls.h"
#include "tests/support/process_usage.h"

namespace baton::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Everything that died is back and serves.
constexpr seconds kAllServe{60};
constexpr uint64_t kProbeRooms = 40;
// Allocators keep some of what they had.
constexpr uint64_t kResidentGrowthMax = 24 << 20;

}  // namespace

absl::StatusOr<bool> Chaos::RunWhile(bool open_rooms, TimePoint deadline,
                                     const std::function<bool()>& busy) {
  while (busy()) {
    const TimePoint now = Monotonic::now();
    if (now >= deadline) return false;
    absl::Status status = Turn(now, open_rooms);
    if (!status.ok()) return status;
  }
  return true;
}

absl::Status Chaos::Drain() {
  // The longest fault, then the longest that a room may take.
  const TimePoint deadline = Monotonic::now() + seconds(10) + kAllServe;
  return RunWhile(false, deadline, [this] { return ledger_.open() > 0; }).status();
}

absl::Status Chaos::ProbeAllPairs() {
  std::set<std::pair<uint32_t, uint32_t>> missing;
  for (uint32_t p = 0; p < kPods / 2; ++p) {
    for (uint32_t d = kPods / 2; d < kPods; ++d) missing.insert({p, d});
  }
  const TimePoint deadline = Monotonic::now() + kAllServe;
  while (!missing.empty()) {
    std::map<RoomKey, std::pair<uint32_t, uint32_t>> probes;
    for (const auto& [p, d] : missing) {
      if (!pods_[p]->engine_ready() || !pods_[d]->engine_ready()) continue;
      probes[OpenRoom(p, d, Monotonic::now())] = {p, d};
    }
    const TimePoint pause = Monotonic::now() + milliseconds(200);
    auto ran =
        RunWhile(false, deadline, [&] { return ledger_.open() > 0 || Monotonic::now() < pause; });
    if (!ran.ok()) return ran.status();
    for (const auto& [room, pair] : probes) {
      if (ledger_.Succeeded(room)) missing.erase(pair);
    }
    if (Monotonic::now() < deadline) continue;
    for (const auto& [p, d] : missing) {
      ledger_.Violation(absl::StrCat(pods_[p]->server(), " and ", pods_[d]->server(),
                                     " serve no room although both are well"));
    }
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status Chaos::CheckLeaks() {
  std::vector<ProcessUsage> before;
  for (int round = 0; round < 2; ++round) {
    const uint64_t enough = ledger_.counts().rooms + kProbeRooms;
    auto ran = RunWhile(true, Monotonic::now() + seconds(30),
                        [&] { return ledger_.counts().rooms < enough; });
    if (ran.ok())
      ran = RunWhile(false, Monotonic::now() + seconds(30), [&] { return ledger_.open() > 0; });
    if (!ran.ok()) return ran.status();
    for (uint32_t i = 0; i < kPods; ++i) {
      const ProcessUsage usage = UsageOf(pods_[i]->agent().pid());
      if (round == 0) {
        before.push_back(usage);
        continue;
      }
      const ProcessUsage& first = before[i];
      if (usage.files > first.files + 2 ||
          usage.anonymous_bytes > first.anonymous_bytes + kResidentGrowthMax) {
        ledger_.Violation(absl::StrCat(
            pods_[i]->agent().name(), " grew over ", kProbeRooms, " rooms: files ", first.files,
            " to ", usage.files, ", bytes ", first.anonymous_bytes, " to ", usage.anonymous_bytes));
      }
      auto status = demo::AgentStatus(pods_[i]->service_socket(), milliseconds(5000));
      if (!status.ok()) return status.status();
      for (const auto& rank : status->ranks()) {
        if (rank.rooms() == 0) continue;
        ledger_.Violation(absl::StrCat(pods_[i]->agent().name(), " holds ", rank.rooms(),
                                       " rooms that nobody has"));
      }
    }
  }
  return absl::OkStatus();
}

// A queue pair that was fenced rests for a while before it goes.
absl::Status Chaos::CheckDevices(const DeviceObjects& at_start) {
  absl::StatusOr<DeviceObjects> now = at_start;
  auto settled = RunWhile(true, Monotonic::now() + kAllServe, [&] {
    now = CountDeviceObjects();
    return now.ok() && !now->Within(at_start);
  });
  if (!now.ok()) return now.status();
  if (!settled.ok()) return settled.status();
  std::printf("  %s\n", ToString(*now).c_str());
  if (!*settled) {
    ledger_.Violation(absl::StrCat("the agents hold ", ToString(*now), "; before the faults ",
                                   ToString(at_start)));
  }
  return Drain();
}

absl::Status Chaos::CheckCanaries() {
  finals_ = 0;
  for (auto& pod : pods_) pod->Finish();
  auto all = RunWhile(false, Monotonic::now() + seconds(30),
                      [this] { return finals_ < kPods * Pod::kRanks; });
  if (!all.ok()) return all.status();
  if (!*all) ledger_.Violation("an engine gave no final report");
  return absl::OkStatus();
}

}  // namespace baton::chaos
