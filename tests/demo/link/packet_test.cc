#include "tests/demo/link/packet.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "common/reason.h"
#include "demo/v1/demo.pb.h"

namespace baton::demo {
namespace {

std::pair<UniqueFd, UniqueFd> Pair() {
  auto pair = MakePacketPair(std::chrono::milliseconds(50));
  EXPECT_TRUE(pair.ok()) << pair.status();
  return std::move(*pair);
}

TEST(Packet, ArrivesWhole) {
  auto [a, b] = Pair();
  v1::ToEngine sent, received;
  sent.mutable_open()->set_total_tokens(77);
  ASSERT_TRUE(SendPacket(a.get(), sent).ok());
  auto got = ReceivePacket(b.get(), true, &received);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(*got, Received::kMessage);
  EXPECT_EQ(received.open().total_tokens(), 77u);
  EXPECT_EQ(*ReceivePacket(b.get(), false, &received), Received::kNothing);
}

TEST(Packet, SaysThatTheOtherEndIsClosed) {
  auto [a, b] = Pair();
  a.Reset();
  v1::ToEngine message;
  EXPECT_EQ(*ReceivePacket(b.get(), true, &message), Received::kClosed);
  message.mutable_finish();
  EXPECT_FALSE(SendPacket(b.get(), message).ok());
}

TEST(Packet, GivesUpOnAnEndThatDoesNotRead) {
  auto [a, b] = Pair();
  v1::ToEngine message;
  message.mutable_configure()->set_preset(std::string(30000, 'x'));
  absl::Status status;
  for (int i = 0; i < 10000 && status.ok(); ++i) status = SendPacket(a.get(), message);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(ReasonOf(status), Reason::kDeadline);
}

TEST(Packet, RefusesWhatIsTooLargeOrDoesNotParse) {
  auto [a, b] = Pair();
  v1::ToEngine message;
  message.mutable_configure()->set_preset(std::string(kPacketMax, 'x'));
  EXPECT_EQ(ReasonOf(SendPacket(a.get(), message)), Reason::kTooLarge);
  ASSERT_EQ(send(a.get(), "\xff\xff", 2, 0), 2);
  EXPECT_EQ(ReasonOf(ReceivePacket(b.get(), true, &message).status()), Reason::kBadMessage);
}

}  // namespace
}  // namespace baton::demo
