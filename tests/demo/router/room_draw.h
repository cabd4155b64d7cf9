// Draws the manner in which each room is handed over, from one seed, so that a run can be had
// again. Where it goes, and its name, come from who routes.
#ifndef BATON_TESTS_DEMO_ROUTER_ROOM_DRAW_H_
#define BATON_TESTS_DEMO_ROUTER_ROOM_DRAW_H_

#include <cstdint>
#include <random>
#include <string>

#include "common/ids.h"
#include "demo/v1/demo.pb.h"
#include "tests/demo/workload/arrivals.h"

namespace baton::demo {

struct RoomDrawOptions {
  uint64_t seed = 0;
  bool spread = false;
  uint32_t room_deadline_ms = 20000;
  // The room of this number (from 0) that has a token to move is corrupted; UINT64_MAX: none.
  uint64_t corrupt_room = UINT64_MAX;
};

// What was decided for a room.
struct Picked {
  RoomKey room;
  std::string prefill_server;
  uint32_t prefill_dp = 0;
  uint32_t decode_dp = 0;
};

// Both legs of one room.
struct DrawnRoom {
  v1::OpenRoom prefill;
  v1::OpenRoom decode;
};

// Thread-compatible.
class RoomDraw {
 public:
  explicit RoomDraw(RoomDrawOptions options);

  DrawnRoom Next(const Arrival& arrival, const Picked& picked);

 private:
  const RoomDrawOptions options_;
  std::mt19937_64 random_;
  uint64_t drawn_ = 0;
  bool corrupted_ = false;
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_ROUTER_ROOM_DRAW_H_
