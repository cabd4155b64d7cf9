// A room on a decode rank: offers pages, waits for Landed, then recomputes what every byte must be.
#ifndef BATON_TESTS_DEMO_ENGINE_TARGET_ROOM_H_
#define BATON_TESTS_DEMO_ENGINE_TARGET_ROOM_H_

#include <cstdint>

#include "tests/demo/engine/engine_room.h"

namespace baton::demo {

class TargetRoom : public EngineRoom {
 public:
  TargetRoom(EngineClient* engine, RankMemory* memory, v1::OpenRoom open, RoomShare share);

 protected:
  absl::StatusOr<RoomHandle> Open() override;
  bool Work(const RoomStatus&) override { return false; }
  // One buffer at a time.
  bool Check() override;

 private:
  // What surrounds the offered bytes in the first and the last page: the prefix that is there
  // already, and canaries where no token will lie.
  void PrepareEdges();
  void Corrupt();
  void CheckView(size_t view);
  void Count(const BufferView& view, const std::optional<PageFault>& fault);

  uint64_t seed_;
  bool prepared_ = false;
  size_t next_view_ = 0;
};

// Fills in what the fault is about; the room is left to the caller.
v1::Mismatch ToMismatch(const BufferView& view, const PageFault& fault);

inline constexpr int kMismatchesReported = 4;

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_ENGINE_TARGET_ROOM_H_
