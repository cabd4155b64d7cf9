// What the router counts. Any thread.
#ifndef BATON_CLIENT_ROUTER_APP_STATS_H_
#define BATON_CLIENT_ROUTER_APP_STATS_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "common/metrics/counters.h"
#include "common/metrics/histogram.h"

namespace baton::proxy {

enum class Outcome : uint8_t {
  kAnswered,    // the engine's answer reached the client whole, its refusals included
  kRefused,     // the client's request was wrong, or one too many
  kNoPair,      // no pair of servers was ready
  kFailed,      // all pairs that were tried failed
  kBroken,      // the answer ended in the middle
  kClientGone,  // nobody waits for the answer any more
};
inline constexpr size_t kOutcomes = 6;
inline constexpr std::array<absl::string_view, kOutcomes> kOutcomeNames = {
    "answered", "refused", "no_pair", "failed", "broken", "client_gone"};

struct Stats {
  std::array<metrics::SharedCount, kOutcomes> requests;
  metrics::SharedCount failed_legs[2];  // prefill, decode
  metrics::SharedHistogram first_byte;
  // How many are open is their difference.
  metrics::SharedCount begun;
  metrics::SharedCount ended;

  void Count(Outcome outcome) { requests[static_cast<size_t>(outcome)].Add(); }
};

// In Prometheus' text format.
std::string RouterMetrics(const Stats& stats, bool ready);

}  // namespace baton::proxy

#endif  // BATON_CLIENT_ROUTER_APP_STATS_H_
