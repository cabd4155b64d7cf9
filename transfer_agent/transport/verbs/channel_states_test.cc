#include "transfer_agent/transport/verbs/channel_states.h"

#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace baton::transport::verbs {
namespace {

TEST(VerbsChannelStates, AreDrawnAsTheyAre) {
  std::ifstream file("docs/states/verbs_channel.dot");
  std::stringstream drawn;
  drawn << file.rdbuf();
  // A channel that we open begins as offered; one that we accept begins as expected.
  const std::string dot =
      RenderDot<ChannelState, ChannelEvent>("verbs_channel", kChannelRows, ChannelState::kOffered);
  EXPECT_EQ(drawn.str(), dot) << "docs/states/verbs_channel.dot should hold:\n" << dot;
}

}  // namespace
}  // namespace baton::transport::verbs
