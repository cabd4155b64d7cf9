// One port of one device, opened: its protection domain, its completion queue, its health. Slow
// path, except for what the queue holds. Thread-compatible; everything made from it must be gone
// before it.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_RAIL_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_RAIL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "transfer_agent/transport/port_metrics.h"
#include "transfer_agent/transport/verbs/options.h"
#include "transfer_agent/transport/verbs/selection.h"
#include "transfer_agent/transport/verbs/verbs.h"

namespace baton::transport::verbs {

// What keeps channels off a rail.
struct RailHealth {
  // Its port is up, its device works, and it has an address.
  bool works() const { return port_up && !dead && addressed; }
  // Takes new channels: no pause is on.
  bool usable(TimePoint now) const { return works() && now >= paused_until; }

  bool port_up = true;
  bool dead = false;
  bool addressed = true;
  TimePoint paused_until;
  Duration pause = Duration::zero();  // the last one's length
  // Of a port that is down: since when that is known.
  std::optional<TimePoint> down_since = std::nullopt;
};

class Rail {
 public:
  // Errors name the device and the call that failed.
  static absl::StatusOr<std::unique_ptr<Rail>> Open(Provider* provider, const ChosenRail& chosen,
                                                    size_t index, const VerbsOptions& options);
  ~Rail();
  Rail(const Rail&) = delete;
  Rail& operator=(const Rail&) = delete;

  Provider& provider() const { return *provider_; }
  const ChosenRail& chosen() const { return chosen_; }
  const std::shared_ptr<PortMetrics>& metrics() const { return metrics_; }
  const DeviceLimits& limits() const { return limits_; }
  ibv_context* context() const { return context_; }
  ibv_pd* pd() const { return pd_; }
  ibv_cq* cq() const { return cq_; }
  ibv_comp_channel* wakeups() const { return wakeups_; }
  // "mlx5_0/1".
  std::string name() const;
  // Its position among the worker's rails.
  size_t index() const { return index_; }

  // Peers reach it by this from now on.
  void Readdress(const ChosenRail& chosen) { chosen_ = chosen; }
  // After a failure: no new channel for a while, longer each time; a channel that comes up ends it.
  void Pause(TimePoint now);
  void Restore() { health.pause = Duration::zero(); }

  // Completions that can arrive at once are counted against the queue's length, so that it never
  // overruns. FULL names both numbers.
  absl::Status Reserve(uint32_t completions);
  bool Fits(uint32_t completions) const { return reserved_ + completions <= entries_; }
  // Of queue pairs in reset, once the queue was seen empty.
  void ReleaseWhenEmpty(uint32_t completions) { leaving_ += completions; }
  void SeenEmpty() {
    reserved_ -= leaving_;
    leaving_ = 0;
  }

  RailHealth health;

 private:
  Rail(Provider* provider, const ChosenRail& chosen, size_t index)
      : provider_(provider), chosen_(chosen), index_(index) {
    metrics_->port = name();
  }
  absl::Status Build(const VerbsOptions& options);
  absl::Status Failed(absl::string_view call) const;

  Provider* const provider_;
  ChosenRail chosen_;
  const size_t index_;
  // Shared with the scrape, which may come when the rail is gone.
  const std::shared_ptr<PortMetrics> metrics_ = std::make_shared<PortMetrics>();
  DeviceLimits limits_;
  ibv_context* context_ = nullptr;
  ibv_pd* pd_ = nullptr;
  ibv_comp_channel* wakeups_ = nullptr;
  ibv_cq* cq_ = nullptr;
  uint32_t entries_ = 0;
  uint32_t reserved_ = 0;
  uint32_t leaving_ = 0;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_RAIL_H_
