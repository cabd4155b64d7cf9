// How long unary calls take and how they end, counted by gRPC's threads.
#ifndef BATON_BOOTSTRAP_SERVICE_RPC_RPC_METRICS_H_
#define BATON_BOOTSTRAP_SERVICE_RPC_RPC_METRICS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "common/metrics/counters.h"
#include "common/metrics/histogram.h"
#include "common/reason.h"

namespace baton::registry {

#define BATON_UNARY_RPCS(X) \
  X(RegisterServer)         \
  X(RegisterRank)           \
  X(Deregister)             \
  X(Drain)                  \
  X(GetServer)              \
  X(ListServers)            \
  X(ResolveRoute)           \
  X(BindRoom)               \
  X(LookupRoom)

enum class Rpc : uint8_t {
#define X(name) k##name,
  BATON_UNARY_RPCS(X)
#undef X
};

inline constexpr absl::string_view kRpcNames[] = {
#define X(name) #name,
    BATON_UNARY_RPCS(X)
#undef X
};
inline constexpr size_t kRpcs = std::size(kRpcNames);
inline constexpr size_t kStatusCodes = 17;  // gRPC's, 0 to 16

// NOLINTNEXTLINE(bugprone-macro-parentheses): one summand a reason
#define X(...) +1
inline constexpr size_t kReasonCount = 0 BATON_REASONS(X);
#undef X

// Thread-safe.
class RpcMetrics {
 public:
  void Count(Rpc rpc, TimePoint began, const absl::Status& status) {
    const size_t code = static_cast<size_t>(status.raw_code());
    durations_[static_cast<size_t>(rpc)][code < kStatusCodes ? code : 2].Observe(Monotonic::now() -
                                                                                 began);
    if (rpc != Rpc::kRegisterRank) return;
    if (status.ok()) {
      registered_.Add();
    } else {
      refused_[static_cast<size_t>(ReasonOf(status))].Add();
    }
  }
  const metrics::SharedHistogram& duration(size_t rpc, size_t code) const {
    return durations_[rpc][code];
  }
  uint64_t registered() const { return registered_.value(); }
  uint64_t refused(size_t reason) const { return refused_[reason].value(); }

 private:
  std::array<std::array<metrics::SharedHistogram, kStatusCodes>, kRpcs> durations_;
  metrics::SharedCount registered_;
  std::array<metrics::SharedCount, kReasonCount> refused_;
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_RPC_RPC_METRICS_H_
