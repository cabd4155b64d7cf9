#include "tests/simulation/groups/ground_truth.h"

#include "absl/strings/str_cat.h"

namespace baton::sim {

using group::Entry;
using group::Kind;
using group::SeatIndex;

void GroundTruth::Show(SeatIndex seat, uint64_t index, const Entry& entry) {
  auto [it, fresh] = log_.emplace(index, entry);
  if (!fresh) {
    if (it->second != entry) {
      Violate(absl::StrCat("OneSequence: rank ", seat, " has another entry ", index));
    }
    return;
  }
  if (index != 0 && !log_.contains(index - 1)) {
    Violate(absl::StrCat("OneSequence: nobody has shown entry ", index - 1, " before ", index));
  }
  First(index, entry);
}

void GroundTruth::First(uint64_t index, const Entry& entry) {
  if (!latest_.contains(entry.room)) return Violate("NoInvention: a room that nobody opened");
  Use& use = Of(entry.room);
  const std::string where = absl::StrCat("entry ", index, ", room ", ToString(entry.room));
  if (use.over()) return Violate(absl::StrCat("NothingTwice: ", where, " is over"));
  switch (entry.kind) {
    case Kind::kOffered:
      if (use.offered_shown) Violate(absl::StrCat("NothingTwice: offered, ", where));
      use.offered_shown = true;
      return;
    case Kind::kFinished:
      if (use.failed_shown) Violate(absl::StrCat("OneEnd: finished after it failed, ", where));
      if (use.finished.size() != seats_) Violate(absl::StrCat("FinishedMeansAll: ", where));
      use.finished_shown = true;
      use.over_at = index;
      return;
    case Kind::kFailed:
      if (use.failed_shown) Violate(absl::StrCat("NothingTwice: failed, ", where));
      if (use.failed.empty() && ended_.empty() && absent_.empty()) {
        Violate(absl::StrCat("NoInvention: nobody failed, ", where));
      }
      use.failed_shown = true;
      return;
    case Kind::kReleased:
      if (!use.failed_shown) Violate(absl::StrCat("OneEnd: released before it failed, ", where));
      for (SeatIndex seat : use.opened) {
        const bool free = use.released.contains(seat) || use.finished.contains(seat) ||
                          use.lost.contains(seat) || ended_.contains(seat);
        if (!free) Violate(absl::StrCat("ReleasedMeansAll: not at rank ", seat, ", ", where));
      }
      use.released_shown = true;
      use.over_at = index;
      return;
  }
}

}  // namespace baton::sim
