#include "tests/demo/router/room_draw.h"

#include <utility>

namespace baton::demo {

RoomDraw::RoomDraw(RoomDrawOptions options)
    : options_(std::move(options)), random_(options_.seed) {}

DrawnRoom RoomDraw::Next(const Arrival& arrival, const Picked& picked) {
  const uint64_t number = drawn_++;
  DrawnRoom room;
  room.prefill.set_id(picked.room.id);
  room.prefill.set_nonce(picked.room.nonce);
  room.prefill.set_total_tokens(arrival.total_tokens);
  room.prefill.set_prefix_tokens(arrival.prefix_tokens);
  room.prefill.set_time_left_ms(options_.room_deadline_ms);
  room.decode = room.prefill;

  room.prefill.set_dp(picked.prefill_dp);
  // Whole prompts as often as small steps, which end anywhere in a page.
  if (random_() % 2 == 0) {
    const uint64_t smallest = (arrival.total_tokens + 15) / 16;
    room.prefill.set_chunk_tokens(smallest + random_() % arrival.total_tokens);
  }
  room.prefill.set_empty_last_chunk(random_() % 4 == 0);
  room.prefill.set_await_offer(random_() % 2 == 0);
  room.prefill.set_split_layers(random_() % 4 == 0);

  room.decode.set_dp(picked.decode_dp);
  room.decode.set_prefill_server(picked.prefill_server);
  // Sometimes the router does not say, and the agents find it by room.
  if (random_() % 4 != 0) room.decode.set_prefill_dp(room.prefill.dp());
  room.decode.set_spread(options_.spread);
  bool moves = arrival.prefix_tokens < arrival.total_tokens;
  if (number >= options_.corrupt_room && moves && !corrupted_) {
    room.decode.set_corrupt(true);
    corrupted_ = true;
  }
  return room;
}

}  // namespace baton::demo
