#include "tests/soak/restarts.h"

#include <utility>

namespace baton::soak {
namespace {

using chaos::FaultKind;

struct Turn {
  uint32_t pod;
  FaultKind killed;
  FaultKind asked;
};

// Engines are only killed: that is how they end.
constexpr Turn kInTurn[Restarts::kTurns] = {
    {0, FaultKind::kKillBootstrap, FaultKind::kRestartBootstrap},
    {1, FaultKind::kDrainAgent, FaultKind::kKillAgent},
    {3, FaultKind::kKillAgent, FaultKind::kDrainAgent},
    {0, FaultKind::kKillServer, FaultKind::kKillServer},
    {2, FaultKind::kKillServer, FaultKind::kKillServer},
};

}  // namespace

chaos::Fault Restarts::Next() {
  if (round_.empty()) {
    for (uint32_t turn = 0; turn < kTurns; ++turn) {
      round_.push_back(turn);
      std::swap(round_.back(), round_[random_() % round_.size()]);
    }
    ++rounds_;
  }
  const Turn& turn = kInTurn[round_.back()];
  round_.pop_back();
  chaos::Fault fault;
  fault.kind = rounds_ % 2 == 1 ? turn.killed : turn.asked;
  fault.pod = turn.pod;
  fault.lasts = std::chrono::milliseconds(200 + random_() % 1800);
  return fault;
}

}  // namespace baton::soak
