// Why a prefill and a decode server are not offered as a pair: for people, and for `batonctl route
// explain`. Pure; thread-safe.
#ifndef BATON_CLIENT_ROUTER_EXPLAIN_H_
#define BATON_CLIENT_ROUTER_EXPLAIN_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "baton/v1/registry.pb.h"
#include "common/reason.h"

namespace baton {

// One thing that stands between the two.
struct Obstacle {
  // BAD_SPEC: a server that no pair can have. INCOMPATIBLE: the two contradict each other, for as
  // long as both live. NOT_READY, DRAINING: it may pass.
  Reason reason = Reason::kUnknown;
  std::string field;    // "role", "model", "state", "tensor K: dtype"
  std::string prefill;  // the field's value there
  std::string decode;
};

// Empty when a router may pick the pair. The worst comes first; of several fields of the layouts
// that differ, the first is named.
std::vector<Obstacle> ExplainPair(const v1::ServerRecord& prefill, const v1::ServerRecord& decode);

// "INCOMPATIBLE tensor K: dtype: prefill p1 has bf16, decode d1 has fp8".
std::string ToString(const Obstacle& obstacle, const std::string& prefill_name,
                     const std::string& decode_name);

// OK, or the first obstacle as an error.
absl::Status CheckPair(const v1::ServerRecord& prefill, const v1::ServerRecord& decode);

// "READY", "DRAINING", or "REGISTERING, 3 ranks missing: dp0/pp0/cp0/tp1 ...".
std::string DescribeState(const v1::ServerRecord& server);

}  // namespace baton

#endif  // BATON_CLIENT_ROUTER_EXPLAIN_H_
