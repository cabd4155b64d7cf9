#include "common/shm_abi/table_memory.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/reason.h"

namespace baton::shm_abi {
namespace {

TEST(TableMemory, StartsWithEverySlotFree) {
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::vector<Line> lines(TableBytes(3) / 64);
  std::byte* memory = lines.data()->bytes;
  InitTable(memory, 5, 3);
  EXPECT_EQ(HeaderOf(memory)->magic, kTableMagic);
  EXPECT_EQ(HeaderOf(memory)->epoch, 5u);
  EXPECT_EQ(HeaderOf(memory)->slots, 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(SlotsOf(memory)[i].word.load(), 0u);
}

TEST(TableMemory, PacksAndUnpacksTheWordOfARoom) {
  RoomWord word{0xffffffff, RoomState::kFailed, true};
  RoomWord back = RoomWord::Unpack(word.Pack());
  EXPECT_EQ(back.generation, word.generation);
  EXPECT_EQ(back.state, word.state);
  EXPECT_TRUE(back.released);
}

TEST(TableMemory, KeepsReasonRankAndTextOfACause) {
  TableSlot slot;
  RankRef rank{"prefill-a", {1, 2, 3, 4}};
  StoreCause(Error(Reason::kPeerLost, "it went away", rank), &slot);
  absl::Status cause = LoadCause(slot);
  EXPECT_EQ(ReasonOf(cause), Reason::kPeerLost);
  EXPECT_EQ(RankOf(cause), rank);
  EXPECT_EQ(cause.message(), "it went away");
  StoreCause(Error(Reason::kDeadline, "late"), &slot);
  EXPECT_EQ(RankOf(LoadCause(slot)), std::nullopt);
  EXPECT_EQ(LoadCause(slot).message(), "late");
}

TEST(TableMemory, CutsLongTextsBetweenCharacters) {
  TableSlot slot;
  std::string message = std::string(kCauseTextMax - 3, 'a') + "\u00e9\u00e9";
  StoreCause(Error(Reason::kUnknown, message), &slot);
  EXPECT_EQ(LoadCause(slot).message(), message.substr(0, kCauseTextMax - 3));
  RankRef rank{std::string(300, 's'), {}};
  StoreCause(Error(Reason::kUnknown, std::string(300, 'm'), rank), &slot);
  EXPECT_EQ(RankOf(LoadCause(slot))->server.size(), kCauseTextMax / 3);
  EXPECT_EQ(LoadCause(slot).message().size(), kCauseTextMax - kCauseTextMax / 3 - 2);
}

TEST(TableMemory, BelievesNoTextWithoutAnEnd) {
  TableSlot slot;
  memset(slot.text, 'x', sizeof(slot.text));
  slot.reason.store(9999);
  absl::Status cause = LoadCause(slot);
  EXPECT_EQ(ReasonOf(cause), Reason::kUnknown);
  EXPECT_LE(cause.message().size(), kCauseTextMax);
}

}  // namespace
}  // namespace baton::shm_abi
