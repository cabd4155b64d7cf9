// When a room of one rank came to each step of its hand-off: what `batonctl room trace` shows and
// what the metrics of stages are made of.
#ifndef BATON_TRANSFER_AGENT_ROOM_STAGES_H_
#define BATON_TRANSFER_AGENT_ROOM_STAGES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "common/clock.h"

namespace baton::room {

// In the order of a hand-off that goes well. A room has those of its side that it came to.
enum class Stage : uint8_t {
  kOpened,     // the engine asked for the room
  kFound,      // target: dp rank, server and all sources are known
  kOffered,    // source: the first target offered pages; target: every source has its offer
  kMatched,    // source: opened and offered
  kConnected,  // source: the first channel that it needs is up
  kPosted,     // source: the first bytes were handed to the path
  kSent,       // source: all bytes were, for every target
  kLanding,    // target: the first source's bytes are in memory
  kDone,       // source: every target has everything; target: everything is in memory
  kFailed,     // the cause is known
  kReleased,   // nothing of a failed room reads or writes pages any more
};
inline constexpr size_t kStageCount = 11;

inline absl::string_view Name(Stage stage) {
  constexpr absl::string_view kNames[kStageCount] = {"opened",    "found",  "offered", "matched",
                                                     "connected", "posted", "sent",    "landing",
                                                     "done",      "failed", "released"};
  return kNames[static_cast<size_t>(stage)];
}

// Thread-compatible.
class StageTimes {
 public:
  // The first time counts.
  void Note(Stage stage, TimePoint now) {
    const auto i = static_cast<size_t>(stage);
    if ((set_ >> i & 1) != 0) return;
    set_ |= 1u << i;
    times_[i] = now;
  }
  std::optional<TimePoint> At(Stage stage) const {
    const auto i = static_cast<size_t>(stage);
    if ((set_ >> i & 1) == 0) return std::nullopt;
    return times_[i];
  }

 private:
  uint32_t set_ = 0;
  std::array<TimePoint, kStageCount> times_{};
};

}  // namespace baton::room

#endif  // BATON_TRANSFER_AGENT_ROOM_STAGES_H_
