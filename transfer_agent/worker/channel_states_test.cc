// The drawing in docs/states/ is the table in the code.
#include "transfer_agent/worker/channel_states.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace baton::worker {
namespace {

TEST(States, TheChannelsDrawingIsCurrent) {
  std::stringstream text;
  text << std::ifstream("docs/states/channel.dot").rdbuf();
  EXPECT_EQ(text.str(),
            RenderDot("channel", absl::MakeConstSpan(kChannelRows), ChannelState::kAsked));
}

}  // namespace
}  // namespace baton::worker
