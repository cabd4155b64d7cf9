// Remembers what every page and row of a decode rank must hold once the run is over: the content of
// the room that had it last, or the canary it has had since the start. Checking all of it at the
// end shows that nothing was written that no room had offered, and nothing after Landed.
#ifndef BATON_TESTS_DEMO_ENGINE_CANARY_BOOK_H_
#define BATON_TESTS_DEMO_ENGINE_CANARY_BOOK_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "demo/v1/demo.pb.h"
#include "tests/demo/engine/rank_memory.h"

namespace baton::demo {

// Thread-compatible.
class CanaryBook {
 public:
  // Writes canaries to the whole pool. `memory` is borrowed.
  explicit CanaryBook(RankMemory* memory);

  // The share of a room goes back. Without `known` nobody can say what its pages hold.
  void Returned(const RoomKey& room, const RoomShare& share, bool known);

  // Checks everything. No room may be open.
  v1::FinalReport Check() const;

 private:
  struct Holding {
    RoomKey room;
    uint64_t seed = 0;
    RoomShare share;
    bool known = false;
  };
  struct Use {
    std::shared_ptr<const Holding> holding;  // shared by the pages of a room
    size_t index = 0;
  };

  void CheckView(size_t view, v1::FinalReport* report) const;

  RankMemory* const memory_;
  std::vector<std::vector<Use>> pages_;  // [page group][page]
  std::vector<std::vector<Use>> rows_;   // [view][row], empty for paged views
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_ENGINE_CANARY_BOOK_H_
