#include "tests/demo/router/room_draw.h"

#include <gtest/gtest.h>

namespace baton::demo {
namespace {

RoomDrawOptions Options() {
  RoomDrawOptions options;
  options.seed = 5;
  return options;
}

const Arrival kArrival{std::chrono::nanoseconds(0), 100, 10};
const Picked kPicked{{7, 8}, "p", 2, 1};

TEST(RoomDraw, DrawsTheSameRoomsForTheSameSeed) {
  RoomDraw a(Options()), b(Options());
  for (int i = 0; i < 50; ++i) {
    DrawnRoom x = a.Next(kArrival, kPicked), y = b.Next(kArrival, kPicked);
    EXPECT_EQ(x.prefill.SerializeAsString(), y.prefill.SerializeAsString());
    EXPECT_EQ(x.decode.SerializeAsString(), y.decode.SerializeAsString());
  }
}

TEST(RoomDraw, BothLegsGoWhereWasDecided) {
  DrawnRoom room = RoomDraw(Options()).Next(kArrival, kPicked);
  for (const v1::OpenRoom* leg : {&room.prefill, &room.decode}) {
    EXPECT_EQ(leg->id(), 7u);
    EXPECT_EQ(leg->nonce(), 8u);
  }
  EXPECT_EQ(room.prefill.dp(), 2u);
  EXPECT_EQ(room.decode.dp(), 1u);
  EXPECT_EQ(room.decode.prefill_server(), "p");
}

TEST(RoomDraw, DrawsEveryManner) {
  RoomDraw draw(Options());
  int whole = 0, empty_last = 0, awaits = 0, split = 0, unknown_dp = 0;
  for (int i = 0; i < 200; ++i) {
    DrawnRoom room = draw.Next(kArrival, kPicked);
    whole += room.prefill.chunk_tokens() == 0;
    empty_last += room.prefill.empty_last_chunk();
    awaits += room.prefill.await_offer();
    split += room.prefill.split_layers();
    unknown_dp += !room.decode.has_prefill_dp();
    if (room.decode.has_prefill_dp()) {
      EXPECT_EQ(room.decode.prefill_dp(), room.prefill.dp());
    }
  }
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
  EXPECT_FALSE(draw.Next(kArrival, kPicked).decode.corrupt());
  EXPECT_FALSE(draw.Next(full_hit, kPicked).decode.corrupt());
  EXPECT_TRUE(draw.Next(kArrival, kPicked).decode.corrupt());
  EXPECT_FALSE(draw.Next(kArrival, kPicked).decode.corrupt());
}

}  // namespace
}  // namespace baton::demo
