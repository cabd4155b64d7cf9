#include "common/shm_abi/table_memory.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "common/reason.h"

namespace baton::shm_abi {
namespace {

TEST(TableMemory, StartsWithEverySlotFree) {
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::vector<Line> lines(TableBytes(3, 2) / 64);
  std::byte* memory = lines.data()->bytes;
  InitTable(memory, 5, 3, 2);
  EXPECT_EQ(HeaderOf(memory)->magic, kTableMagic);
  EXPECT_EQ(HeaderOf(memory)->epoch, 5u);
  EXPECT_EQ(HeaderOf(memory)->slots, 3u);
  EXPECT_EQ(HeaderOf(memory)->peers, 2u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(SlotsOf(memory)[i].word.load(), 0u);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(LoadPeer(PeersOf(memory, 3)[i]).state, PeerState::kUnanswered);
  }
}

TEST(TableMemory, PacksAndUnpacksTheWordOfARoom) {
  RoomWord word{0xffffffff, RoomState::kFailed, true};
  RoomWord back = RoomWord::Unpack(word.Pack());
  EXPECT_EQ(back.generation, word.generation);
  EXPECT_EQ(back.state, word.state);
  EXPECT_TRUE(back.released);
}

class TableCause : public testing::Test {
 private:
  // GCC's address sanitizer keeps no alignment of 64 on the stack.
  const std::unique_ptr<TableSlot> owned_ = std::make_unique<TableSlot>();

 protected:
  TableSlot& slot_ = *owned_;
};

TEST_F(TableCause, KeepsReasonRankAndTextOfACause) {
  RankRef rank{"prefill-a", {1, 2, 3, 4}};
  StoreCause(Error(Reason::kPeerLost, "it went away", rank), &slot_);
  absl::Status cause = LoadCause(slot_);
  EXPECT_EQ(ReasonOf(cause), Reason::kPeerLost);
  EXPECT_EQ(RankOf(cause), rank);
  EXPECT_EQ(cause.message(), "it went away");
  StoreCause(Error(Reason::kDeadline, "late"), &slot_);
  EXPECT_EQ(RankOf(LoadCause(slot_)), std::nullopt);
  EXPECT_EQ(LoadCause(slot_).message(), "late");
}

TEST_F(TableCause, CutsLongTextsBetweenCharacters) {
  std::string message = std::string(kCauseTextMax - 3, 'a') + "\u00e9\u00e9";
  StoreCause(Error(Reason::kUnknown, message), &slot_);
  EXPECT_EQ(LoadCause(slot_).message(), message.substr(0, kCauseTextMax - 3));
  RankRef rank{std::string(300, 's'), {}};
  StoreCause(Error(Reason::kUnknown, std::string(300, 'm'), rank), &slot_);
  EXPECT_EQ(RankOf(LoadCause(slot_))->server.size(), kCauseTextMax / 3);
  EXPECT_EQ(LoadCause(slot_).message().size(), kCauseTextMax - kCauseTextMax / 3 - 2);
}

TEST_F(TableCause, BelievesNoTextWithoutAnEnd) {
  memset(slot_.text, 'x', sizeof(slot_.text));
  slot_.reason.store(9999);
  absl::Status cause = LoadCause(slot_);
  EXPECT_EQ(ReasonOf(cause), Reason::kUnknown);
  EXPECT_LE(cause.message().size(), kCauseTextMax);
}

}  // namespace
}  // namespace baton::shm_abi
