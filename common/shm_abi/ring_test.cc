#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <thread>

#include "common/reason.h"
#include "common/shm_abi/command_codec.h"
#include "common/shm_abi/ring_consumer.h"
#include "common/shm_abi/ring_producer.h"

namespace baton::shm_abi {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kEpoch = 77;
constexpr uint32_t kBytes = kRingBytesMin;
constexpr uint32_t kSlots = 1024;

// A ring in ordinary memory, with both ends.
class Ring : public ::testing::Test {
 protected:
  struct alignas(64) Line {
    std::byte bytes[64];
  };

  Ring() : lines_((kRingDataOffset + kBytes) / sizeof(Line)) {
    InitRing(memory(), kEpoch, kBytes);
    producer_.emplace(memory());
    consumer_.emplace(memory(), kEpoch, kBytes, TableSizes{kSlots, 4});
  }

  std::byte* memory() { return lines_.data()->bytes; }
  std::byte* data() { return memory() + kRingDataOffset; }
  RingHeader* header() { return reinterpret_cast<RingHeader*>(memory()); }

  bool Put(const Command& command) {
    std::string bytes = EncodeCommand(command);
    std::byte* body = producer_->Reserve(static_cast<uint32_t>(bytes.size()));
    if (body == nullptr) return false;
    memcpy(body, bytes.data(), bytes.size());
    producer_->Commit(KindOf(command));
    return true;
  }

  // An entry made by hand at the ring's start, published.
  void Forge(EntryHeader entry, absl::string_view body, bool good_check = true) {
    memcpy(data() + sizeof(entry), body.data(), body.size());
    if (good_check) entry.check = EntryCheck(kEpoch, entry, data() + sizeof(entry));
    memcpy(data(), &entry, sizeof(entry));
    header()->tail.store(EntryBytes(body.size()));
  }

  std::string Complaint() {
    auto next = consumer_->Next();
    if (next.ok()) return "none";
    EXPECT_EQ(ReasonOf(next.status()), Reason::kBadMessage);
    // Final: what follows is not read, however good it looks.
    EXPECT_EQ(consumer_->Next().status(), next.status());
    return std::string(next.status().message());
  }

  std::vector<Line> lines_;
  std::optional<RingProducer> producer_;
  std::optional<RingConsumer> consumer_;
};

Send SendOf(uint32_t slot, size_t pages) {
  Send send;
  send.slot = {slot, 1};
  send.pages = {std::vector<int32_t>(pages, static_cast<int32_t>(slot))};
  return send;
}

TEST_F(Ring, IsEmptyAtFirst) {
  EXPECT_TRUE(consumer_->Empty());
  auto next = consumer_->Next();
  ASSERT_TRUE(next.ok());
  EXPECT_FALSE(next->has_value());
}

TEST_F(Ring, DeliversEntriesOfAllSizesInOrderOverManyWraps) {
  std::mt19937 random(1);
  uint32_t sent = 0, received = 0;
  while (received < 20000) {
    while (sent < received + 5 && Put(SendOf(sent % kSlots, (sent * 37) % 900))) ++sent;
    uint32_t take = random() % 5;
    for (uint32_t i = 0; i < take && received < sent; ++i, ++received) {
      auto next = consumer_->Next();
      ASSERT_TRUE(next.ok()) << next.status();
      ASSERT_TRUE(next->has_value());
      const Send& send = std::get<Send>(**next);
      ASSERT_EQ(send.slot.slot, received % kSlots);
      ASSERT_EQ(send.pages[0].size(), (received * 37) % 900);
    }
  }
  EXPECT_GT(header()->head.load(), 10u * kBytes);
}

TEST_F(Ring, SaysFullAndGoesOnOnceTheConsumerHasRead) {
  int put = 0;
  while (Put(SendOf(1, 500))) ++put;
  EXPECT_EQ(put, 7);  // 2 KiB each, and the last one would touch the first
  EXPECT_FALSE(Put(SendOf(1, 500)));
  ASSERT_TRUE(consumer_->Next().ok());
  EXPECT_TRUE(Put(SendOf(2, 500)));
  for (int i = 0; i < put; ++i) ASSERT_TRUE(consumer_->Next().ok());
  EXPECT_TRUE(consumer_->Empty());
}

TEST_F(Ring, TakesAQuarterOfItselfButNoMore) {
  EXPECT_EQ(producer_->body_bytes_max(), kBytes / 4 - sizeof(EntryHeader));
  EXPECT_EQ(producer_->Reserve(producer_->body_bytes_max() + 1), nullptr);
  uint32_t pages = (producer_->body_bytes_max() - EncodedBytes(SendView{{}, {}, {}}) - 4) / 4;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(Put(SendOf(1, pages)));
    auto next = consumer_->Next();
    ASSERT_TRUE(next.ok()) << next.status();
    ASSERT_EQ(std::get<Send>(**next).pages[0].size(), pages);
  }
}

TEST_F(Ring, ForgetsWhatWasReservedAndNotCommitted) {
  ASSERT_NE(producer_->Reserve(100), nullptr);
  EXPECT_TRUE(consumer_->Empty());
  ASSERT_TRUE(Put(Close{{3, 1}}));
  auto next = consumer_->Next();
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(std::get<Close>(**next).slot.slot, 3u);
}

TEST_F(Ring, NeverOverwritesUnreadEntriesWhateverTheHeadSays) {
  ASSERT_TRUE(Put(Close{{3, 1}}));
  header()->head.store(1 << 30);
  while (Put(SendOf(1, 500))) {
  }
  auto next = consumer_->Next();
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(std::get<Close>(**next).slot.slot, 3u);
}

TEST_F(Ring, RefusesATailThatIsOutsideTheRing) {
  header()->tail.store(kBytes + kEntryAlign);
  EXPECT_FALSE(consumer_->Empty());
  EXPECT_THAT(Complaint(), HasSubstr("not within the ring"));
}

TEST_F(Ring, RefusesATailThatIsNotAligned) {
  header()->tail.store(33);
  EXPECT_THAT(Complaint(), HasSubstr("aligned"));
}

TEST_F(Ring, RefusesATailThatMovesBack) {
  ASSERT_TRUE(Put(Close{{3, 1}}));
  ASSERT_TRUE(consumer_->Next().ok());
  header()->tail.store(0);
  EXPECT_THAT(Complaint(), HasSubstr("not within the ring"));
}

TEST_F(Ring, RefusesAnEntryThatRunsPastTheTail) {
  Forge({1000, EntryKind::kClose, 1, 0}, "x", false);
  EXPECT_THAT(Complaint(), HasSubstr("past the tail"));
}

TEST_F(Ring, RefusesALengthThatWouldOverflow) {
  Forge({UINT32_MAX, EntryKind::kClose, 1, 0}, "x", false);
  EXPECT_THAT(Complaint(), HasSubstr("past the tail"));
}

TEST_F(Ring, RefusesAnEntryOfMoreThanAQuarter) {
  Forge({kBytes / 4, EntryKind::kClose, 1, 0}, std::string(kBytes / 4, 'x'));
  EXPECT_THAT(Complaint(), HasSubstr("quarter"));
}

TEST_F(Ring, RefusesAnEntryThatRunsPastItsEnd) {
  // Seven eighths are taken and read; the next entry would straddle the end.
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(Put(SendOf(1, 493)));
    ASSERT_TRUE(consumer_->Next().ok());
  }
  uint64_t at = header()->head.load();
  ASSERT_EQ(at, 7u * kBytes / 8);
  EntryHeader entry{kBytes / 4 - 32, EntryKind::kClose, 8, 0};
  memcpy(data() + at, &entry, sizeof(entry));
  header()->tail.store(at + kBytes / 4);
  EXPECT_THAT(Complaint(), HasSubstr("past the end of the ring"));
}

TEST_F(Ring, RefusesAWrongSequenceNumber) {
  Forge({8, EntryKind::kClose, 2, 0}, std::string("\1\0\0\0\1\0\0\0", 8));
  EXPECT_THAT(Complaint(), HasSubstr("sequence number 2"));
}

TEST_F(Ring, RefusesABodyThatWasChanged) {
  ASSERT_TRUE(Put(Close{{3, 1}}));
  data()[sizeof(EntryHeader)] ^= std::byte{1};
  EXPECT_THAT(Complaint(), HasSubstr("check is wrong"));
}

TEST_F(Ring, RefusesAnEntryOfAnotherRing) {
  RingConsumer other(memory(), kEpoch + 1, kBytes, TableSizes{kSlots, 4});
  ASSERT_TRUE(Put(Close{{3, 1}}));
  EXPECT_THAT(other.Next().status().message(), HasSubstr("check is wrong"));
}

TEST_F(Ring, RefusesAWrapEntryInTheMiddle) {
  EntryHeader entry{8, EntryKind::kWrap, 1, 0};
  Forge(entry, "12345678");
  EXPECT_THAT(Complaint(), HasSubstr("wrap entry"));
}

TEST_F(Ring, RefusesASlotOutsideTheTableAndSaysWhichEntry) {
  ASSERT_TRUE(Put(Close{{1, 1}}));
  ASSERT_TRUE(Put(Close{{kSlots, 1}}));
  ASSERT_TRUE(consumer_->Next().ok());
  EXPECT_THAT(Complaint(), HasSubstr("ring entry 2 at position 32: slot is 1024"));
}

TEST_F(Ring, SurvivesAnyBytes) {
  std::mt19937_64 random(7);
  int commands = 0;
  for (int round = 0; round < 3000; ++round) {
    InitRing(memory(), kEpoch, kBytes);
    producer_.emplace(memory());
    consumer_.emplace(memory(), kEpoch, kBytes, TableSizes{kSlots, 4});
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(Put(SendOf(i, random() % 300)));
    uint64_t tail = header()->tail.load();
    for (uint64_t flips = random() % 3; flips > 0; --flips) {
      data()[random() % tail] ^= static_cast<std::byte>(random());
    }
    if (random() % 4 == 0) header()->tail.store((random() % (2 * kBytes)) & ~uint64_t{31});
    for (int i = 0; i < 1000; ++i) {
      auto next = consumer_->Next();
      if (!next.ok() || !next->has_value()) break;
      ++commands;
    }
  }
  EXPECT_GT(commands, 3000);
}

// Both ends at once, with a consumer that sleeps by the protocol: announce, look once more, wait
// for the doorbell. A lost wake-up ends in the deadline.
TEST_F(Ring, LeavesNothingBehindASleepingConsumer) {
  constexpr uint32_t kEntries = 30000;
  // GCC's address sanitizer keeps no alignment of 64 on the stack.
  const auto owned = std::make_unique<TableHeader>();
  TableHeader& table = *owned;
  std::atomic<uint64_t> doorbell{0};
  std::thread engine([&] {
    for (uint32_t i = 0; i < kEntries;) {
      if (!Put(SendOf(i % kSlots, i % 50))) {
        std::this_thread::yield();
        continue;
      }
      ++i;
      if (WorkerAsleep(table)) doorbell.fetch_add(1);
    }
  });
  uint64_t heard = 0;
  bool lost = false;
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (uint32_t received = 0; received < kEntries && !lost;) {
    auto next = consumer_->Next();
    ASSERT_TRUE(next.ok()) << next.status();
    if (next->has_value()) {
      ASSERT_EQ(std::get<Send>(**next).slot.slot, received++ % kSlots);
      continue;
    }
    table.asleep.store(1, std::memory_order_seq_cst);
    while (consumer_->Empty() && doorbell.load() == heard && !lost) {
      std::this_thread::yield();
      lost = std::chrono::steady_clock::now() > deadline;
    }
    heard = doorbell.load();
    table.asleep.store(0, std::memory_order_seq_cst);
  }
  engine.join();
  EXPECT_FALSE(lost);
}

}  // namespace
}  // namespace baton::shm_abi
