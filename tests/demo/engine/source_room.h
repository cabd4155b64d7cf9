// A room on a prefill rank: "computes" the prompt chunk by chunk, which here is writing the content
// that the room must have, and sends each chunk when it is complete.
#ifndef BATON_TESTS_DEMO_ENGINE_SOURCE_ROOM_H_
#define BATON_TESTS_DEMO_ENGINE_SOURCE_ROOM_H_

#include <cstdint>
#include <vector>

#include "tests/demo/engine/engine_room.h"

namespace baton::demo {

// One call of Send.
struct PlannedChunk {
  uint64_t token_begin = 0;
  uint64_t token_end = 0;
  uint32_t layer_begin = 0;
  uint32_t layer_end = UINT32_MAX;
  bool last = false;

  bool operator==(const PlannedChunk&) const = default;
};

// The chunks of the tokens in [begin, open.total_tokens), as `open` wants them. Never empty.
std::vector<PlannedChunk> PlanChunks(const v1::OpenRoom& open, uint64_t begin,
                                     uint32_t middle_layer);

class SourceRoom : public EngineRoom {
 public:
  SourceRoom(EngineClient* engine, RankMemory* memory, v1::OpenRoom open, RoomShare share);

 protected:
  absl::StatusOr<RoomHandle> Open() override;
  bool Work(const RoomStatus& status) override;
  bool Check() override { return false; }

 private:
  void Compute(const PlannedChunk& chunk);

  uint64_t seed_;
  std::vector<PlannedChunk> chunks_;  // empty until the prefix is known, if it is awaited
  size_t next_ = 0;
  bool computed_ = false;  // chunks_[next_]
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_ENGINE_SOURCE_ROOM_H_
