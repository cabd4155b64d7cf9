// What is held while nothing runs: before the load, and after it.
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "tests/soak/soak.h"

namespace baton::soak {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Far longer than it takes on a machine that others use too.
constexpr seconds kPatience{90};
constexpr uint64_t kWarmUpRooms = 200;
constexpr milliseconds kLookPeriod{500};

// Memory is what the slopes are for: allocators keep what they had at the busiest moment. gRPC
// starts threads as it needs them and lets go of some again.
double Allowed(const std::string& what, double before) {
  if (what == kMemory || what == kShared) return std::numeric_limits<double>::max();
  return what == kThreads ? before + 4 : before;
}

}  // namespace

absl::StatusOr<bool> Soak::RunWhile(bool open_rooms, TimePoint deadline,
                                    const std::function<bool()>& busy) {
  while (busy()) {
    const TimePoint now = Monotonic::now();
    if (now >= deadline) return false;
    absl::Status status = Turn(now, open_rooms);
    if (!status.ok()) return status;
  }
  return true;
}

absl::Status Soak::AwaitIdle() {
  auto idle = RunWhile(false, Monotonic::now() + kPatience,
                       [this] { return ledger_.open() > 0 || !AllServe(); });
  if (!idle.ok()) return idle.status();
  if (!*idle) ledger_.Violation("rooms are open or servers away long after the last room");
  return absl::OkStatus();
}

absl::Status Soak::WarmUp() {
  absl::Status status = AwaitIdle();
  if (!status.ok()) return status;
  auto served = RunWhile(true, Monotonic::now() + kPatience,
                         [this] { return ledger_.counts().done < kWarmUpRooms; });
  if (!served.ok()) return served.status();
  if (!*served) return Error(Reason::kDeadline, "the servers do not get rooms done");
  status = AwaitIdle();
  if (!status.ok()) return status;
  // Until nothing of a room is left: what is held then is what is held for good.
  TimePoint looked;
  auto quiet = RunWhile(false, Monotonic::now() + kPatience, [&] {
    if (Monotonic::now() - looked < kLookPeriod) return true;
    looked = Monotonic::now();
    sampler_->Take(looked, false);
    for (const auto& [key, value] : sampler_->last()) {
      const bool of_rooms =
          key.second == "baton_open_rooms" || key.second == "baton_held_offers" ||
          key.second == "baton_room_bindings" || key.second == "baton_room_lookups" ||
          key.second == "baton_bound_rooms" || key.second == "baton_waiting_lookups";
      if (of_rooms && value > 0) return true;
    }
    return false;
  });
  idle_ = sampler_->last();
  if (!quiet.ok()) return quiet.status();
  if (!*quiet) ledger_.Violation("something of rooms is held long after they ended");
  return absl::OkStatus();
}

absl::Status Soak::CheckEnd() {
  absl::Status status = AwaitIdle();
  if (!status.ok()) return status;
  std::vector<std::string> more;
  TimePoint looked;
  auto back = RunWhile(false, Monotonic::now() + kPatience, [&] {
    if (Monotonic::now() - looked < kLookPeriod) return true;
    looked = Monotonic::now();
    sampler_->Take(looked, false);
    more.clear();
    for (const auto& [key, value] : sampler_->last()) {
      auto before = idle_.find(key);
      const double held = before == idle_.end() ? 0 : before->second;
      if (value <= Allowed(key.second, held)) continue;
      more.push_back(absl::StrCat(key.first, " holds ", value, " ", key.second, ", ", held,
                                  " before the load"));
    }
    return !more.empty();
  });
  if (!back.ok()) return back.status();
  for (std::string& what : more) ledger_.Violation(std::move(what));
  finals_ = 0;
  for (auto& pod : pods_) pod->Finish();
  auto all = RunWhile(false, Monotonic::now() + kPatience,
                      [this] { return finals_ < kPods * chaos::Pod::kRanks; });
  if (!all.ok()) return all.status();
  if (!*all) ledger_.Violation("an engine gave no final report");
  return absl::OkStatus();
}

}  // namespace baton::soak
