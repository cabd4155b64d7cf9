// Which fault comes next, to whom, for how long: drawn from a seed, so that a run can be repeated.
#ifndef BATON_TESTS_CHAOS_FAULT_DRAW_H_
#define BATON_TESTS_CHAOS_FAULT_DRAW_H_

#include <chrono>
#include <cstdint>
#include <random>

#include "absl/strings/string_view.h"

namespace baton::chaos {

enum class FaultKind : uint8_t {
  kKillAgent,      // SIGKILL under a living engine; a new one starts later
  kStopAgent,      // SIGSTOP, later SIGCONT
  kDrainAgent,     // SIGTERM: it ends by itself once its rooms have; a new one starts then
  kKillServer,     // SIGKILL of the engine; it starts anew, with a new launch id
  kStopEngine,     // SIGSTOP, later SIGCONT
  kKillPod,        // agent and engine at once
  kCutLinks,       // every control connection of the pod is reset
  kSlowLinks,      // they are delayed
  kKillBootstrap,  // it comes back under the same address
  kStopBootstrap,
  // Never drawn: a rolling restart has it, beside drained agents.
  kRestartBootstrap,
};
// That are drawn.
inline constexpr int kFaultKinds = 10;

absl::string_view Name(FaultKind kind);
inline bool HitsBootstrap(FaultKind kind) { return kind >= FaultKind::kKillBootstrap; }

struct Fault {
  FaultKind kind = FaultKind::kKillAgent;
  uint32_t pod = 0;
  std::chrono::milliseconds lasts{0};
  std::chrono::milliseconds until_next{0};
};

// Pods [0, pods / 2) prefill, the others decode. Thread-compatible.
class FaultDraw {
 public:
  FaultDraw(uint64_t seed, uint32_t pods) : random_(seed), pods_(pods) {}

  // `spared_prefill` and `spared_decode` are not hit, nor the bootstrap service unless
  // `bootstrap_too`.
  Fault Next(uint32_t spared_prefill, uint32_t spared_decode, bool bootstrap_too);

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }

  std::mt19937_64 random_;
  const uint32_t pods_;
};

}  // namespace baton::chaos

#endif  // BATON_TESTS_CHAOS_FAULT_DRAW_H_
