#include "common/shm_abi/peer_row.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "common/reason.h"

namespace baton::shm_abi {
namespace {

class Peer : public testing::Test {
 private:
  // GCC's address sanitizer keeps no alignment of 64 on the stack.
  const std::unique_ptr<PeerRow> owned_ = std::make_unique<PeerRow>();

 protected:
  PeerRow& row_ = *owned_;
};

TEST_F(Peer, IsUnansweredAtFirst) {
  const PeerAnswer answer = LoadPeer(row_);
  EXPECT_EQ(answer.generation, 0u);
  EXPECT_EQ(answer.state, PeerState::kUnanswered);
  EXPECT_TRUE(answer.cause.ok());
}

TEST_F(Peer, KeepsEveryFieldOfAnAnswer) {
  PeerAnswer ready{7, PeerState::kReady, true, 4, Incarnation(UINT64_MAX), "prefill-a", {}};
  StorePeer(ready, &row_);
  EXPECT_EQ(LoadPeer(row_), ready);
  PeerAnswer missing{7,
                     PeerState::kNotReady,
                     false,
                     4,
                     Incarnation(1),
                     "prefill-a",
                     Error(Reason::kNotReady, "is not announced", {"prefill-a", {3, 2, 1, 0}})};
  StorePeer(missing, &row_);
  EXPECT_EQ(LoadPeer(row_), missing);
  StorePeer(ready, &row_);
  EXPECT_EQ(LoadPeer(row_), ready);
}

TEST_F(Peer, CutsWhatIsTooLong) {
  PeerAnswer answer{1,
                    PeerState::kIncompatible,
                    false,
                    1,
                    Incarnation(1),
                    std::string(300, 's'),
                    Error(Reason::kIncompatible, std::string(1000, 'm'))};
  StorePeer(answer, &row_);
  EXPECT_EQ(LoadPeer(row_).server.size(), kPeerServerMax - 1);
  EXPECT_EQ(LoadPeer(row_).cause.message().size(), kPeerTextMax - 2);
}

TEST_F(Peer, OfANewerAgentsStateIsUnanswered) {
  StorePeer({1, static_cast<PeerState>(99), false, 1, Incarnation(1), "a", {}}, &row_);
  EXPECT_EQ(LoadPeer(row_).state, PeerState::kUnanswered);
}

// The answer is written over and over beside a reader, which never sees parts of two.
TEST_F(Peer, IsNeverSeenHalfWritten) {
  auto answer_of = [](uint32_t i) {
    return PeerAnswer{i, PeerState::kReady, false, i, Incarnation(i), std::string(i % 100, 'x'),
                      {}};
  };
  StorePeer(answer_of(1), &row_);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (uint32_t i = 1; !stop.load(); ++i) StorePeer(answer_of(i % 1000 + 1), &row_);
  });
  int whole = 0;
  for (int i = 0; i < 20000; ++i) {
    const PeerAnswer seen = LoadPeer(row_);
    if (seen.generation == 0) continue;  // it changed too often under our eyes
    ++whole;
    ASSERT_EQ(seen, answer_of(seen.generation));
  }
  stop.store(true);
  writer.join();
  EXPECT_GT(whole, 0);
  EXPECT_NE(LoadPeer(row_).generation, 0u);
}

}  // namespace
}  // namespace baton::shm_abi
