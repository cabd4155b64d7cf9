#include "transfer_agent/transport/stream/channel_states.h"

#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace baton::transport {
namespace {

TEST(StreamChannelStates, AreDrawnAsTheyAre) {
  std::ifstream file("docs/states/stream_channel.dot");
  std::stringstream drawn;
  drawn << file.rdbuf();
  // A channel that we open begins as offered; one that we accept begins as expected.
  const std::string dot =
      RenderDot<ChannelState, ChannelEvent>("stream_channel", kChannelRows, ChannelState::kOffered);
  EXPECT_EQ(drawn.str(), dot) << "docs/states/stream_channel.dot should hold:\n" << dot;
}

}  // namespace
}  // namespace baton::transport
