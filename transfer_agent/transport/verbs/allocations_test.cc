// The source allocates nothing between "ready" (Submit) and "posted", nor until the last completion
// is reaped.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/counted_allocations.h"
#include "transfer_agent/transport/conformance/world.h"
#include "transfer_agent/transport/verbs/fake_provider/fake_net.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::transport::verbs {
namespace {

using test::allocations;
using test::counted;

constexpr PoolShape kShape{.layers = 2, .page_tokens = 16, .token_bytes = 256, .pages = 512};

// Counts, where the suite's recorder keeps.
class Counting final : public Events {
 public:
  void OnChannelUp(ChannelId) override {}
  void OnChannelDown(ChannelId, const absl::Status&) override { ++down; }
  void OnSegmentDone(uint64_t, const absl::Status& status) override { done += status.ok(); }
  void OnPart(ChannelId, PeerId, OfferId, uint32_t, uint64_t) override {}
  void OnWindowBroken(PeerId, OfferId, const absl::Status&) override {}
  void OnFenced(PeerId, OfferId) override {}

  int done = 0;
  int down = 0;
};

struct Bed {
  explicit Bed(uint32_t devices, Faults faults = {}) {
    for (uint32_t i = 0; i < devices; ++i) {
      net.AddDevice({.name = "fake" + std::to_string(i), .port = {}});
    }
    net.faults() = faults;
    const Candidate candidate{.name = "fake",
                              .create = [this](bool) -> absl::StatusOr<std::unique_ptr<Transport>> {
                                return VerbsTransport::Create(net.NewProvider(), VerbsOptions());
                              },
                              .processes = false};
    world = std::make_unique<World>(candidate, kShape, kShape);
    channel = world->Connect();
  }

  // Rooms that are sent together, and the allocations of their source.
  int Send(int rooms) {
    std::vector<const Room*> sent;
    std::vector<Segment> segments;
    for (int i = 0; i < rooms; ++i) {
      sent.push_back(&world->NewRoom(16 * 20));
      EXPECT_TRUE(world->target.transport->OpenWindow(world->WindowOf(*sent.back())).ok());
      segments.push_back(world->SegmentOf(*sent.back(), 0, 16 * 20, true));
    }
    Counting events;
    allocations = 0;
    counted = true;
    for (const Segment& segment : segments) {
      world->source.transport->Submit(channel.source, segment);
    }
    for (int i = 0; i < 100000 && events.done < rooms && events.down == 0; ++i) {
      world->source.transport->Poll(Monotonic::now(), &events);
    }
    counted = false;
    EXPECT_EQ(events.done, rooms);
    for (const Room* room : sent) {
      EXPECT_TRUE(world->Drive([&] { return world->HasPart(*room); }));
      EXPECT_EQ(world->FirstMismatch(*room), -1);
    }
    return allocations;
  }

  FakeNet net;
  std::unique_ptr<World> world;
  ChannelPair channel;
};

TEST(VerbsAllocations, AreCounted) {
  allocations = 0;
  counted = true;
  auto* proof = new std::string(100, 'x');
  counted = false;
  delete proof;
  EXPECT_GT(allocations, 0);
}

TEST(VerbsAllocations, AreNoneFromReadyToTheLastCompletion) {
  Bed bed(1);
  bed.Send(6);  // as many at once as come later
  EXPECT_EQ(bed.Send(1), 0);
  EXPECT_EQ(bed.Send(6), 0);
}

TEST(VerbsAllocations, AreNoneOverTwoRails) {
  Bed bed(2);
  bed.Send(6);
  EXPECT_EQ(bed.Send(6), 0);
}

TEST(VerbsAllocations, AreNoneWhenTheSendQueueIsFullAndCompletionsAreLost) {
  Bed bed(1, {.seed = 3, .drop_send = 300, .repeat_send = 100, .full_queue = 300});
  bed.Send(6);
  EXPECT_EQ(bed.Send(6), 0);
}

}  // namespace
}  // namespace baton::transport::verbs
