#include "tests/chaos/fault_draw.h"

namespace baton::chaos {

using std::chrono::milliseconds;

absl::string_view Name(FaultKind kind) {
  switch (kind) {
    case FaultKind::kKillAgent:
      return "agent killed";
    case FaultKind::kStopAgent:
      return "agent stopped";
    case FaultKind::kDrainAgent:
      return "agent drained";
    case FaultKind::kKillServer:
      return "engine killed";
    case FaultKind::kStopEngine:
      return "engine stopped";
    case FaultKind::kKillPod:
      return "pod killed";
    case FaultKind::kCutLinks:
      return "links cut";
    case FaultKind::kSlowLinks:
      return "links slowed";
    case FaultKind::kKillBootstrap:
      return "bootstrap killed";
    case FaultKind::kStopBootstrap:
      return "bootstrap stopped";
    case FaultKind::kRestartBootstrap:
      return "bootstrap restarted";
  }
  return "?";
}

Fault FaultDraw::Next(uint32_t spared_prefill, uint32_t spared_decode, bool bootstrap_too) {
  Fault fault;
  do {
    fault.kind = static_cast<FaultKind>(Below(kFaultKinds));
  } while (HitsBootstrap(fault.kind) && !bootstrap_too);
  do {
    fault.pod = static_cast<uint32_t>(Below(pods_));
  } while (fault.pod == spared_prefill || fault.pod == spared_decode);
  // Shorter and longer than the silence and the lease of three seconds.
  fault.lasts = milliseconds(Below(4) == 0 ? 3000 + Below(2500) : Below(1500));
  fault.until_next = milliseconds(20 + Below(700));
  return fault;
}

}  // namespace baton::chaos
