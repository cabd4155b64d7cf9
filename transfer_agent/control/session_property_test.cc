// Two sessions over a connection that is cut at random, with whatever was on its way lost: each
// frame is delivered once and in order, and the queues stay within their bounds. One seed, one
// history.
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "common/reason.h"
#include "transfer_agent/control/session.h"

namespace baton::control {
namespace {

using std::chrono::milliseconds;

struct Side {
  explicit Side(const SessionLimits& limits) : session(limits) {}
  Session session;
  std::deque<Outgoing> to_peer;  // on its way
  uint64_t pushed = 0;
  std::vector<uint64_t> got;
  uint64_t replays = 0, refused_full = 0, duplicates = 0;
};

class History {
 public:
  explicit History(uint64_t seed) : random_(seed), sides_{Side(Limits()), Side(Limits())} {
    Reconnect();
  }

  static SessionLimits Limits() {
    SessionLimits limits;
    limits.unacked_bytes_max = 20 * (sizeof(uint64_t) + kFrameOverheadBytes);
    limits.ack_frames = 8;
    return limits;
  }

  void Step() {
    now_ += milliseconds(Draw(20));
    Side& side = sides_[Draw(2)];
    Side& peer = &side == &sides_[0] ? sides_[1] : sides_[0];
    const uint64_t dice = Draw(100);
    if (dice < 30) return Push(&side);
    if (dice < 60) return Transmit(&side, 1 + Draw(4));
    if (dice < 95) return Deliver(&side, &peer, 1 + Draw(4));
    if (dice < 98) return Reconnect();
    Duplicate(&side);
  }

  // Everything gets across in the end.
  void Settle() {
    Reconnect();
    for (int round = 0; round < 50; ++round) {
      now_ += milliseconds(100);
      for (int i : {0, 1}) {
        Transmit(&sides_[i], 1000);
        Deliver(&sides_[i], &sides_[1 - i], 1000);
      }
    }
  }

  Side& side(int i) { return sides_[i]; }
  uint64_t cuts() const { return cuts_; }

 private:
  uint64_t Draw(uint64_t below) { return random_() % below; }

  void Push(Side* side) {
    const uint64_t number = side->pushed + 1;
    std::string bytes(reinterpret_cast<const char*>(&number), sizeof(number));
    absl::Status status = side->session.Push(std::make_shared<const std::string>(bytes));
    if (status.ok()) {
      side->pushed = number;
    } else {
      ASSERT_EQ(ReasonOf(status), Reason::kFull);
      ++side->refused_full;
    }
    ASSERT_LE(side->session.unacked_bytes(), Limits().unacked_bytes_max);
  }

  void Transmit(Side* side, uint64_t count) {
    while (count-- > 0) {
      auto out = side->session.Next(now_);
      if (!out.has_value()) return;
      side->to_peer.push_back(*std::move(out));
    }
  }

  void Deliver(Side* from, Side* to, uint64_t count) {
    while (count-- > 0 && !from->to_peer.empty()) {
      Outgoing out = from->to_peer.front();
      from->to_peer.pop_front();
      auto fresh = to->session.Receive(out.seq, out.ack, out.body->size(), now_);
      ASSERT_TRUE(fresh.ok()) << fresh.status();
      if (out.seq != 0 && !*fresh) ++to->duplicates;
      if (!*fresh) continue;
      uint64_t number;
      memcpy(&number, out.body->data(), sizeof(number));
      ASSERT_EQ(number, to->got.size() + 1) << "delivered twice, or out of order";
      to->got.push_back(number);
    }
  }

  // A frame that is on its way arrives twice.
  void Duplicate(Side* side) {
    if (!side->to_peer.empty()) side->to_peer.push_front(side->to_peer.front());
  }

  void Reconnect() {
    ++cuts_;
    for (Side& side : sides_) side.to_peer.clear();
    for (int i : {0, 1}) {
      const uint64_t delivered = sides_[1 - i].session.delivered();
      ASSERT_TRUE(sides_[i].session.Resume(delivered, now_).ok());
    }
  }

  std::mt19937_64 random_;
  Side sides_[2];
  TimePoint now_ = TimePoint() + std::chrono::hours(1);
  uint64_t cuts_ = 0;
};

TEST(SessionProperty, ExactlyOnceInOrderWhateverIsCut) {
  uint64_t delivered = 0, cuts = 0, full = 0, duplicates = 0;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    History history(seed);
    for (int step = 0; step < 2000 && !testing::Test::HasFailure(); ++step) history.Step();
    history.Settle();
    if (HasFailure()) return;
    for (int i : {0, 1}) {
      ASSERT_EQ(history.side(1 - i).got.size(), history.side(i).pushed);
      EXPECT_EQ(history.side(i).session.unacked_bytes(), 0u) << "all is acknowledged in the end";
      delivered += history.side(i).got.size();
      full += history.side(i).refused_full;
      duplicates += history.side(i).duplicates;
    }
    cuts += history.cuts();
  }
  // The histories must have met what they are about.
  EXPECT_GT(delivered, 100000u);
  EXPECT_GT(cuts, 10000u);
  EXPECT_GT(full, 1000u);
  EXPECT_GT(duplicates, 1000u);
}

}  // namespace
}  // namespace baton::control
