#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/world.h"
#include "transfer_agent/transport/faulty/faulty_transport.h"
#include "transfer_agent/transport/tcp/factory.h"

namespace baton::transport {
namespace {

Candidate Faulty(const std::string& name, const FaultPlan& plan) {
  return {.name = name,
          .create = [plan](bool checksums) -> absl::StatusOr<std::unique_ptr<Transport>> {
            auto inner = CreateTcpTransport({.checksums = checksums});
            if (!inner.ok()) return inner.status();
            return std::make_unique<FaultyTransport>(*std::move(inner), plan);
          }};
}

// Late events are within the contract: the suite holds for them as well.
INSTANTIATE_TEST_SUITE_P(Faulty, TransportConformance,
                         testing::Values(Faulty("faultless", {}),
                                         Faulty("late", {.seed = 11, .late = 0.5})),
                         [](const auto& info) { return info.param.name; });

TEST(FaultyTransport, EndsEverySegmentAndClosesNoPartTwiceHoweverOftenItDropsChannels) {
  World world(Faulty("dropping", {.seed = 5, .late = 0.3, .drop = 0.2, .put_off = 0.3}));
  ChannelPair channel = world.Connect();
  size_t submitted = 0, drops = 0, put_off = 0;
  for (int i = 0; i < 60; ++i) {
    Room& room = world.NewRoom(16);
    ASSERT_TRUE(world.target.transport->OpenWindow(world.WindowOf(room)).ok());
    for (;;) {
      Segment segment = world.SegmentOf(room, 0, 16, true);
      const Submitted answer = world.source.transport->Submit(channel.source, std::move(segment));
      if (answer == Submitted::kAccepted) break;
      ASSERT_NE(answer, Submitted::kNoChannel);
      ++put_off;
    }
    ++submitted;
    ASSERT_TRUE(world.Drive([&] {
      return world.source.recorder.done.size() == submitted &&
             (world.HasPart(room) || world.source.recorder.is_down(channel.source));
    }));
    if (world.source.recorder.is_down(channel.source)) {
      ++drops;
      channel = world.Connect();
    } else {
      EXPECT_EQ(world.FirstMismatch(room), -1);
    }
  }
  EXPECT_GT(drops, 3u);
  EXPECT_GT(put_off, 3u);
}

}  // namespace
}  // namespace baton::transport
