// Stands in for Baton between one prefill and one decode rank of equal share, inside one process:
// copies token by token, by the ownership rules alone, and can be told to do it wrong.
#ifndef BATON_TESTS_DEMO_ENGINE_LOOPBACK_H_
#define BATON_TESTS_DEMO_ENGINE_LOOPBACK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/engine/engine_client.h"
#include "tests/demo/engine/rank_memory.h"

namespace baton::demo {

class Loopback {
 public:
  Loopback(RankMemory* source, RankMemory* target)
      : source_memory_(source), target_memory_(target) {}

  std::unique_ptr<EngineClient> MakeSource();
  std::unique_ptr<EngineClient> MakeTarget();

  // Layers that are not copied.
  uint32_t lost_layer = UINT32_MAX;
  // Called when everything was copied, before anybody knows.
  std::function<void()> before_landed;
  // The room fails with this instead of landing.
  absl::Status failure;
  bool released = true;

 private:
  friend class LoopbackEnd;
  struct Held {
    uint64_t begin, end;
    uint32_t layer_begin, layer_end;
    std::vector<std::vector<int32_t>> pages;
  };
  struct Room {
    bool send_open = false, receive_open = false, last = false, landed = false;
    uint64_t total = 0, prefix = 0;
    std::vector<std::vector<int32_t>> target_pages;
    std::vector<Held> chunks;
    uint32_t source_aux = 0, target_aux = 0;
  };

  void Move(Room* room);
  void Copy(const Room& room, const Held& chunk);

  RankMemory* const source_memory_;
  RankMemory* const target_memory_;
  std::map<RoomKey, Room> rooms_;
};

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_ENGINE_LOOPBACK_H_
