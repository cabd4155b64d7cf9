// What gRPC still holds of one client. A channel whose last hold goes inside of one of gRPC's own
// callbacks aborts the process (gRPC 1.51: assertion failed: prior > 0), so a client waits here
// before it lets go of its stub: declare one behind the stub, and give each stream a ticket.
// Thread-safe. Skins only.
#ifndef BATON_CLIENT_RPC_IN_FLIGHT_H_
#define BATON_CLIENT_RPC_IN_FLIGHT_H_

#include <chrono>
#include <memory>

#include "common/clock.h"
#include "common/mutex.h"

namespace baton {

class InFlight {
 public:
  // Declared before all that holds the channel, so that it goes last.
  using Ticket = std::shared_ptr<void>;

  InFlight() : state_(std::make_shared<State>()) {}
  // What was cancelled ends within milliseconds; the limit only bounds a defect.
  ~InFlight() { Wait(std::chrono::seconds(5)); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

  Ticket Take() {
    MutexLock lock(&state_->mu);
    ++state_->tickets;
    return Ticket(static_cast<void*>(nullptr), [state = state_](void*) {
      MutexLock lock(&state->mu);
      --state->tickets;
      state->changed.NotifyAll();
    });
  }

  // Until no ticket is out. False when `limit` was over before.
  bool Wait(std::chrono::milliseconds limit) {
    const TimePoint ends = Monotonic::now() + limit;
    MutexLock lock(&state_->mu);
    while (state_->tickets > 0) {
      if (!state_->changed.WaitUntil(&state_->mu, ends)) return state_->tickets == 0;
    }
    return true;
  }

 private:
  struct State {
    Mutex mu;
    CondVar changed;
    int tickets ABSL_GUARDED_BY(mu) = 0;
  };
  const std::shared_ptr<State> state_;
};

}  // namespace baton

#endif  // BATON_CLIENT_RPC_IN_FLIGHT_H_
