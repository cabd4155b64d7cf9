// Which uses of a room's id its targets have spoken of. A room is one use of its id; an engine may
// use the id again as soon as both sides have concluded, and what a target says then must not be
// taken for the earlier use, nor the other way round. A target's worker counts up a number over all
// that it says of rooms, so a larger one is of a later use.
#ifndef BATON_TRANSFER_AGENT_ROOM_ROOM_USES_H_
#define BATON_TRANSFER_AGENT_ROOM_ROOM_USES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "absl/status/status.h"
#include "common/clock.h"
#include "common/ids.h"
#include "transfer_agent/room/target_group.h"

namespace baton::room {

// Who counts: a rank, as a worker of one agent process serves it.
struct TargetVoice {
  Epoch epoch;
  uint32_t worker = 0;
  RankRef target;

  auto operator<=>(const TargetVoice&) const = default;
};

// What a target said: its number, and when the room was opened there, by the clock here. (Too late
// by the time that the message took, never too early.)
struct TargetWord {
  TargetVoice voice;
  uint64_t serial = 0;  // 0: an older agent does not count
  TimePoint opened;
};

// Thread-compatible.
class RoomUses {
 public:
  // A voice too many is not remembered: no server has so many ranks, and what is said of a room
  // costs its source a bounded amount.
  void Note(const TargetWord& word) {
    auto it = last_.find(word.voice);
    if (it == last_.end()) {
      if (last_.size() >= kVoicesMax) return;
      it = last_.emplace(word.voice, 0).first;
    }
    it->second = std::max(it->second, word.serial);
  }
  // About what they take, for bounds.
  size_t bytes() const {
    size_t bytes = 0;
    for (const auto& [voice, serial] : last_) bytes += 128 + voice.target.server.size();
    return bytes;
  }
  bool Heard(const TargetVoice& voice) const { return last_.contains(voice); }
  // Of this use, or of one before it.
  bool Knows(const TargetWord& word) const {
    auto it = last_.find(word.voice);
    return it != last_.end() && word.serial != 0 && word.serial <= it->second;
  }
  // Of a use before this one: its target has spoken of a later one.
  bool IsBeyond(const TargetWord& word) const {
    auto it = last_.find(word.voice);
    return it != last_.end() && word.serial != 0 && word.serial < it->second;
  }

 private:
  static constexpr size_t kVoicesMax = 4096;
  std::map<TargetVoice, uint64_t> last_;
};

// A use that is over.
struct EndedUse {
  absl::Status outcome;  // OK: done
  TimePoint ended;
  // The engine here has had it. If not, its opening is still to come and learns the outcome.
  bool opened_here = false;
  RoomUses uses;
  // Whose room it was; nullopt: nobody had offered.
  std::optional<TargetGroup> group = {};
  // Its key may come again: without a nonce, only the order of what is said tells uses apart.
  bool recurs = true;

  // Whether the word is of a later use. A target that was not heard of while the room failed comes
  // late to it; one that comes to a room that went well is none of its targets. Another decode
  // group's failure, of a room that the engine here never opened, was that group's own.
  bool BeginsAnother(const TargetWord& word) const {
    if (uses.Knows(word)) return false;
    if (group.has_value() && *group != GroupOf(word.voice.target)) {
      if (!opened_here) return true;
      if (!recurs) return false;
    }
    return uses.Heard(word.voice) || (outcome.ok() && recurs);
  }
  // Whether the word is of this use, or of one before it, though a later one is here by now. Who
  // opened before this use had ended cannot mean a later one: both sides conclude before they reuse
  // an id. A word that was long on its way may look younger than it is, never older.
  bool Covers(const TargetWord& word) const {
    return uses.Knows(word) || (opened_here && !uses.Heard(word.voice) && word.opened < ended);
  }
};

}  // namespace baton::room

#endif  // BATON_TRANSFER_AGENT_ROOM_ROOM_USES_H_
