#include "client/router/room_names.h"

#include <gtest/gtest.h>

#include <set>

namespace baton::router {
namespace {

TEST(RoomNames, NoneComesTwice) {
  RoomNames names(7, 1);
  std::set<uint64_t> ids;
  for (int i = 0; i < 100000; ++i) {
    const RoomKey room = names.Next();
    EXPECT_EQ(room.nonce, 7u);
    ids.insert(room.id);
  }
  EXPECT_EQ(ids.size(), 100000u);
}

TEST(RoomNames, AnotherStartHasOtherNames) {
  RoomNames before(7, 1);
  RoomNames after(8, 1);
  EXPECT_NE(before.Next(), after.Next());
}

TEST(RoomNames, IdsFitASignedNumber) {
  RoomNames names(7, UINT64_MAX);
  for (int i = 0; i < 1000; ++i) EXPECT_LE(names.Next().id, static_cast<uint64_t>(INT64_MAX));
}

TEST(RoomNames, TheNonceIsNeverNone) { EXPECT_NE(RoomNames(0, 5).Next().nonce, 0u); }

}  // namespace
}  // namespace baton::router
