#include "transfer_agent/transport/conformance/recorder.h"

#include "gtest/gtest.h"

namespace baton::transport {

void Recorder::OnChannelUp(ChannelId channel) {
  EXPECT_TRUE(polling_);
  EXPECT_FALSE(is_down(channel)) << "up after down";
  EXPECT_TRUE(up.insert(channel).second) << "up twice";
}

void Recorder::OnChannelDown(ChannelId channel, const absl::Status& cause) {
  EXPECT_TRUE(polling_);
  EXPECT_FALSE(cause.ok());
  EXPECT_TRUE(down.emplace(channel, cause).second) << "down twice";
}

void Recorder::OnSegmentDone(uint64_t cookie, const absl::Status& status) {
  EXPECT_TRUE(polling_);
  EXPECT_TRUE(done.emplace(cookie, status).second) << "segment " << cookie << " done twice";
  done_order.push_back(cookie);
}

void Recorder::OnPart(ChannelId, PeerId peer, OfferId offer, uint32_t part, uint64_t bytes) {
  EXPECT_TRUE(polling_);
  EXPECT_FALSE(fenced.contains({peer, offer})) << "a part after the fence";
  EXPECT_FALSE(broken.contains({peer, offer})) << "a part after the window broke";
  EXPECT_TRUE(parts.emplace(PartKey{peer, offer, part}, bytes).second) << "a part twice";
  part_order.emplace_back(peer, offer, part);
  if (on_part) on_part(peer, offer);
}

void Recorder::OnWindowBroken(PeerId peer, OfferId offer, const absl::Status& cause) {
  EXPECT_TRUE(polling_);
  EXPECT_FALSE(cause.ok());
  EXPECT_FALSE(fenced.contains({peer, offer})) << "broken after the fence";
  EXPECT_TRUE(broken.emplace(WindowKey{peer, offer}, cause).second) << "broken twice";
}

void Recorder::OnFenced(PeerId peer, OfferId offer) {
  EXPECT_TRUE(polling_);
  EXPECT_TRUE(fenced.insert({peer, offer}).second) << "fenced twice";
}

bool Recorder::Poll(Transport* transport, Duration ahead) {
  polling_ = true;
  const bool worked = transport->Poll(Monotonic::now() + ahead, this);
  polling_ = false;
  return worked;
}

}  // namespace baton::transport
