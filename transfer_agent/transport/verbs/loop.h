// What the objects of one transport share: its settings, the turn of the worker's loop, what is to
// be told, what is counted. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_LOOP_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_LOOP_H_

#include <chrono>
#include <cstdint>
#include <utility>

#include "common/clock.h"
#include "transfer_agent/transport/stream/event_queue.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/options.h"

namespace baton::transport::verbs {

// The time of this turn, and when the slow checks are due: every 5 ms, or in the next turn when
// something asks for them.
class LoopClock {
 public:
  enum class Due : uint8_t { kNot, kByTime, kAsked };

  TimePoint now() const { return now_; }
  void Begin(TimePoint now) { now_ = now; }
  void Ask() { asked_ = true; }
  bool asked() const { return asked_; }
  // The timer has rung.
  void Ring() { next_ = now_; }
  // Takes what was asked.
  Due Take() {
    if (!asked_ && now_ < next_) return Due::kNot;
    next_ = now_ + std::chrono::milliseconds(5);
    return std::exchange(asked_, false) ? Due::kAsked : Due::kByTime;
  }

 private:
  TimePoint now_;
  TimePoint next_;
  bool asked_ = false;
};

struct Loop {
  explicit Loop(const VerbsOptions& settings) : options(settings) {}

  const VerbsOptions options;
  LoopClock clock;
  EventQueue events;
  Counters counters;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_LOOP_H_
