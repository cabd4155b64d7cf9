#include "transfer_agent/transport/stream/event_queue.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace baton::transport {
namespace {

constexpr PeerId kPeer{3};
constexpr OfferId kOffer{.slot = 1, .generation = 2};

class Log : public Events {
 public:
  void OnChannelUp(ChannelId channel) override { Add(absl::StrCat("up ", channel.value())); }
  void OnChannelDown(ChannelId channel, const absl::Status&) override {
    Add(absl::StrCat("down ", channel.value()));
  }
  void OnSegmentDone(uint64_t cookie, const absl::Status&) override {
    Add(absl::StrCat("done ", cookie));
  }
  void OnPart(ChannelId, PeerId, OfferId offer, uint32_t part, uint64_t bytes) override {
    Add(absl::StrCat("part ", offer.slot, ".", part, " ", bytes));
  }
  void OnWindowBroken(PeerId, OfferId offer, const absl::Status&) override {
    Add(absl::StrCat("broken ", offer.slot));
  }
  void OnFenced(PeerId, OfferId offer) override { Add(absl::StrCat("fenced ", offer.slot)); }

  std::vector<std::string> lines;
  EventQueue* forget_in = nullptr;

 private:
  void Add(std::string line) {
    lines.push_back(std::move(line));
    if (forget_in != nullptr) forget_in->ForgetWindow(kPeer, kOffer);
  }
};

TEST(EventQueue, DeliversInOrder) {
  EventQueue queue;
  queue.ChannelUp(ChannelId(1));
  queue.SegmentDone(5, absl::OkStatus());
  queue.Part(ChannelId(1), kPeer, kOffer, 7, 100);
  queue.WindowBroken(kPeer, kOffer, absl::InternalError("x"));
  queue.Fenced(kPeer, kOffer);
  queue.ChannelDown(ChannelId(1), absl::InternalError("x"));
  Log log;
  EXPECT_TRUE(queue.Deliver(&log));
  EXPECT_EQ(log.lines, (std::vector<std::string>{"up 1", "done 5", "part 1.7 100", "broken 1",
                                                 "fenced 1", "down 1"}));
  EXPECT_FALSE(queue.Deliver(&log));
}

TEST(EventQueue, TakesBackWhatAFenceOrACloseMadeUntrue) {
  EventQueue queue;
  queue.ChannelUp(ChannelId(1));
  queue.ChannelUp(ChannelId(2));
  queue.Part(ChannelId(1), kPeer, kOffer, 0, 1);
  queue.Part(ChannelId(1), PeerId(4), kOffer, 0, 1);
  queue.WindowBroken(kPeer, kOffer, absl::InternalError("x"));
  queue.SegmentDone(5, absl::OkStatus());
  queue.ForgetWindow(kPeer, kOffer);
  queue.ForgetChannel(ChannelId(1));
  Log log;
  queue.Deliver(&log);
  EXPECT_EQ(log.lines, (std::vector<std::string>{"up 2", "part 1.0 1", "done 5"}));
}

TEST(EventQueue, LetsAHandlerTakeBackWhatIsStillToCome) {
  EventQueue queue;
  queue.ChannelUp(ChannelId(1));
  queue.Part(ChannelId(1), kPeer, kOffer, 0, 1);
  Log log;
  log.forget_in = &queue;
  queue.Deliver(&log);
  EXPECT_EQ(log.lines, std::vector<std::string>{"up 1"});
}

}  // namespace
}  // namespace baton::transport
