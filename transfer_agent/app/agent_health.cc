// What the agent says of itself to probes.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "transfer_agent/app/agent.h"

namespace baton::agent {
namespace {

// A worker turns at least once a second; this much longer is no load but a stop.
constexpr auto kWorkerStalled = std::chrono::seconds(10);

void AddCause(admin::Health* health, absl::string_view cause) {
  absl::StrAppend(&health->why, health->why.empty() ? "" : "\n", cause);
}

}  // namespace

admin::Health Agent::Health() const {
  admin::Health health;
  health.started = true;
  health.ready = true;
  const TimePoint now = Monotonic::now();
  for (size_t i = 0; i < workers_.size(); ++i) {
    if (now - workers_[i]->beaten() < kWorkerStalled) continue;
    health.live = health.ready = false;
    AddCause(&health, absl::StrCat("worker ", i, " has not turned for 10 s"));
  }
  bool stuck = false;
  if (const absl::Status listening = links_->Listening(&stuck); !listening.ok()) {
    health.live = health.live && !stuck;
    health.ready = false;
    AddCause(&health, listening.message());
  }
  if (!directory_->synced()) {
    health.ready = false;
    AddCause(&health, absl::StrCat("the bootstrap service at ", options_.bootstrap,
                                   " has not answered yet"));
  }
  MutexLock lock(&mu_);
  if (draining_) {
    health.ready = false;
    AddCause(&health, "this agent is draining");
  }
  for (const auto& [id, hosted] : hosted_) {
    if (hosted.waits_for.empty()) continue;
    health.ready = false;
    AddCause(&health, absl::StrCat(ToString(hosted.rank), " waits for: ", hosted.waits_for));
  }
  return health;
}

std::vector<std::string> Agent::Warnings() const {
  std::vector<std::string> warnings;
  MutexLock lock(&mu_);
  if (!unheard_.empty()) {
    const auto silent =
        std::chrono::duration_cast<std::chrono::seconds>(Monotonic::now() - unheard_since_);
    warnings.push_back(absl::StrCat(
        "the bootstrap service at ", options_.bootstrap, " has not been heard for ", silent.count(),
        " s (", unheard_, "): rooms with servers known before go on, new servers wait. If other ",
        "agents say so too it is down: start it. If only this one does, the way to it is cut "
        "here, ",
        "and routers take this server for gone"));
  }
  return warnings;
}

}  // namespace baton::agent
