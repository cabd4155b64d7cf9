// What a worker counts while it works: written by its thread alone, read by the scrape whenever it
// comes, without a word to the worker. No lock, no allocation.
#ifndef BATON_TRANSFER_AGENT_WORKER_WORKER_METRICS_H_
#define BATON_TRANSFER_AGENT_WORKER_WORKER_METRICS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/metrics/counters.h"
#include "common/metrics/histogram.h"
#include "common/reason.h"

namespace baton::worker {

// Stages of a room; common/metrics/table.h says from when to when each lasts.
enum class MetricStage : uint8_t { kOffer, kMatch, kConnect, kPost, kLand };
inline constexpr size_t kStages = 5;
inline constexpr absl::string_view kStageNames[kStages] = {"offer", "match", "connect", "post",
                                                           "land"};

inline constexpr Role kRoles[] = {Role::kPrefill, Role::kDecode};
inline constexpr size_t kRoleCount = 2;
// A worker has at most this many transports.
inline constexpr size_t kTransportsMax = 4;

#define X(...) +1  // NOLINT(bugprone-macro-parentheses): a term of a sum
inline constexpr size_t kReasonCount = 0 BATON_REASONS(X);
#undef X

// Mirrors what the transport and the worker's tables hold, as of the last heartbeat.
struct PathMetrics {
  metrics::Count bytes_sent;
  metrics::Count bytes_landed;
  metrics::Count bytes_copied;
  metrics::Count stale_dropped;
  metrics::Count peers;
  metrics::Count channels;
  metrics::Count channel_failures;  // counted as they happen
};

struct RoleMetrics {
  metrics::Count done;
  std::array<metrics::Count, kReasonCount> failed;
  std::array<metrics::Count, kReasonCount> refused;  // never opened
  metrics::Histogram duration;
  // As of the last heartbeat.
  metrics::Count open_rooms;
  metrics::Count serving;
  metrics::Count waiting;
};

struct WorkerMetrics {
  std::array<metrics::Histogram, kStages> stages;
  std::array<RoleMetrics, kRoleCount> roles;
  std::array<PathMetrics, kTransportsMax> paths;  // in the order of the worker's transports
  // As of the last heartbeat.
  metrics::Count memory_bytes;
  metrics::Count held_offers;
  metrics::Count held_offer_bytes;
  metrics::Count busy_nanos;

  RoleMetrics& of(Role role) { return roles[role == Role::kPrefill ? 0 : 1]; }
  void Observe(MetricStage stage, Duration time) {
    stages[static_cast<size_t>(stage)].Observe(time);
  }
  void CountDone(Role role, Duration time) {
    of(role).done.Add();
    of(role).duration.Observe(time);
  }
  void CountFailed(Role role, Reason reason) { of(role).failed[static_cast<size_t>(reason)].Add(); }
  void CountRefused(Role role, Reason reason) {
    of(role).refused[static_cast<size_t>(reason)].Add();
  }
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_WORKER_METRICS_H_
