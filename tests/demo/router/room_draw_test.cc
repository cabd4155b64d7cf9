#include "tests/demo/router/room_draw.h"

#include <gtest/gtest.h>

#include <set>

namespace baton::demo {
namespace {

RoomDrawOptions Options() {
  RoomDrawOptions options;
  options.seed = 5;
  options.prefill_server = "p";
  options.prefill_dp_size = 3;
  options.decode_dp_size = 2;
  return options;
}

const Arrival kArrival{std::chrono::nanoseconds(0), 100, 10};

TEST(RoomDraw, DrawsTheSameRoomsForTheSameSeed) {
  RoomDraw a(Options()), b(Options());
  for (int i = 0; i < 50; ++i) {
    DrawnRoom x = a.Next(kArrival), y = b.Next(kArrival);
    EXPECT_EQ(x.prefill.SerializeAsString(), y.prefill.SerializeAsString());
    EXPECT_EQ(x.decode.SerializeAsString(), y.decode.SerializeAsString());
  }
}

TEST(RoomDraw, UsesIdsAgainWithAnotherNonce) {
  RoomDraw draw(Options());
  std::set<uint64_t> ids;
  std::set<std::pair<uint64_t, uint64_t>> keys;
  for (int i = 0; i < 300; ++i) {
    DrawnRoom room = draw.Next(kArrival);
    EXPECT_EQ(room.prefill.id(), room.decode.id());
    EXPECT_EQ(room.prefill.nonce(), room.decode.nonce());
    ids.insert(room.prefill.id());
    keys.insert({room.prefill.id(), room.prefill.nonce()});
  }
  EXPECT_LT(ids.size(), 100u);
  EXPECT_EQ(keys.size(), 300u);
}

TEST(RoomDraw, DrawsEveryMannerAndDpRank) {
  RoomDraw draw(Options());
  std::set<uint32_t> prefill_dp, decode_dp;
  int whole = 0, empty_last = 0, awaits = 0, split = 0, unknown_dp = 0;
  for (int i = 0; i < 200; ++i) {
    DrawnRoom room = draw.Next(kArrival);
    prefill_dp.insert(room.prefill.dp());
    decode_dp.insert(room.decode.dp());
    whole += room.prefill.chunk_tokens() == 0;
    empty_last += room.prefill.empty_last_chunk();
    awaits += room.prefill.await_offer();
    split += room.prefill.split_layers();
    unknown_dp += !room.decode.has_prefill_dp();
    if (room.decode.has_prefill_dp()) {
      EXPECT_EQ(room.decode.prefill_dp(), room.prefill.dp());
    }
  }
  EXPECT_EQ(prefill_dp.size(), 3u);
  EXPECT_EQ(decode_dp.size(), 2u);
  for (int count : {whole, empty_last, awaits, split, unknown_dp}) {
    EXPECT_GT(count, 20);
    EXPECT_LT(count, 180);
  }
}

TEST(RoomDraw, CorruptsOneRoomThatMovesSomething) {
  RoomDrawOptions options = Options();
  options.corrupt_room = 1;
  RoomDraw draw(options);
  const Arrival full_hit{std::chrono::nanoseconds(0), 100, 100};
  EXPECT_FALSE(draw.Next(kArrival).decode.corrupt());
  EXPECT_FALSE(draw.Next(full_hit).decode.corrupt());
  EXPECT_TRUE(draw.Next(kArrival).decode.corrupt());
  EXPECT_FALSE(draw.Next(kArrival).decode.corrupt());
}

}  // namespace
}  // namespace baton::demo
