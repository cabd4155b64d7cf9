// What goes wrong in a group's history, and what it must come to when nothing does any more.
#include "absl/strings/str_cat.h"
#include "tests/simulation/groups/group_world.h"
#include "transfer_agent/group/quorum.h"

namespace baton::sim {

using group::Life;
using group::SeatIndex;

void GroupWorld::Fault() {
  const SeatIndex at = random_.Below(n_);
  Rank& rank = ranks_[at];
  switch (random_.Below(5)) {
    case 0:
      if (rank.seat && (rank.engine || MayLose(at))) KillAgent(at);
      return;
    case 1:
    case 2:
      if (!rank.seat) StartAgent(at);
      return;
    case 3:
      // A slow agent: the others may give it up long before it notices.
      rank.stopped = !rank.stopped;
      if (rank.stopped) {
        for (SeatIndex other = 0; other < n_; ++other) {
          if (other != at && random_.Chance(70)) Cut(at, other);
        }
      }
      return;
    case 4:
      if (rank.engine && (rank.seat || MayLose(at)) && random_.Chance(10)) KillEngine(at);
      return;
  }
}

void GroupWorld::KillAgent(SeatIndex at) {
  Rank& rank = ranks_[at];
  ++figures_.restarts;
  rank.seat.reset();
  rank.stopped = false;
  rank.lost |= !rank.engine;
  truth_.Absent(at);
  for (SeatIndex other = 0; other < n_; ++other) {
    if (other == at) continue;
    Cut(at, other);
    PipeOf(other, at).up = false;
  }
  // Its rooms went with it; its engine sees that.
  for (const auto& [room, open] : rank.open) truth_.uses()[open.use].lost.insert(at);
  rank.open.clear();
}

// With what the engine kept; with nothing when the engine has ended too: another life.
void GroupWorld::StartAgent(SeatIndex at) {
  Rank& rank = ranks_[at];
  if (!rank.engine) {
    rank.life = Life(++lives_);
    rank.kept = std::make_unique<group::HeldLog>(1 << 20);
    rank.shown = 0;
  }
  group::SeatOptions options;
  options.seats = n_;
  options.self = at;
  options.life = rank.life;
  options.returns = rank.began && rank.engine;
  rank.began = true;
  rank.seat = std::make_unique<group::Seat>(options, *rank.kept, now_);
  rank.last_state = rank.seat->state();
}

void GroupWorld::KillEngine(SeatIndex at) {
  Rank& rank = ranks_[at];
  ++figures_.deaths;
  rank.engine = false;
  rank.lost |= rank.seat == nullptr;
  rank.open.clear();
  truth_.Ended(at);
  if (!rank.seat) return;
  rank.seat->EngineGone();
  Settle(at);
}

// Whether the others still decide when this rank never comes back as what it was.
bool GroupWorld::MayLose(SeatIndex at) const {
  return group::Decides(n_, [&](SeatIndex seat) { return seat != at && !ranks_[seat].lost; });
}

void GroupWorld::Heal() {
  for (SeatIndex at = 0; at < n_; ++at) {
    ranks_[at].stopped = false;
    if (ranks_[at].seat) continue;
    StartAgent(at);
  }
}

void GroupWorld::CheckRest() {
  uint64_t end = 0;
  for (const Rank& rank : ranks_) end = std::max(end, rank.shown);
  for (SeatIndex at = 0; at < n_; ++at) {
    const Rank& rank = ranks_[at];
    if (rank.lost || !rank.seat) continue;
    if (rank.shown != end) {
      truth_.Violate(absl::StrCat("NoneMissing: rank ", at, " has ", rank.shown, " of ", end));
    }
    if (rank.engine && rank.next_step != steps_.size()) {
      truth_.Violate(
          absl::StrCat("NoneMissing: rank ", at, "'s engine waits in step ", rank.next_step));
    }
  }
  for (const Use& use : truth_.uses()) {
    if (use.over()) continue;
    // A room that has no entry, and that every rank's agent has lost, is known to nobody: no engine
    // has it open.
    bool wanted = use.failed_shown;
    for (SeatIndex at : use.opened) wanted |= ranks_[at].engine && !use.lost.contains(at);
    if (!wanted) continue;
    truth_.Violate(absl::StrCat("NoneMissing: room ", ToString(use.room), " has no end"));
  }
}

}  // namespace baton::sim
