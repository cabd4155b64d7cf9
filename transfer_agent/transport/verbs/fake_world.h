// Two workers on a fake network, for tests of what devices and peers do wrong.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FAKE_WORLD_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FAKE_WORLD_H_

#include <memory>

#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/world.h"
#include "transfer_agent/transport/verbs/fake_provider/fake_net.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::transport::verbs {

inline constexpr PoolShape kLarge{
    .layers = 2, .page_tokens = 16, .token_bytes = 4096, .pages = 512};

struct Net {
  Net() {
    net->AddDevice({.name = "fake0", .port = {}});
    options.send_queue = 128;
  }

  Candidate candidate() const {
    return {.name = "fake",
            .create = [net = net,
                       options = options](bool) -> absl::StatusOr<std::unique_ptr<Transport>> {
              return VerbsTransport::Create(net->NewProvider(), options);
            },
            .processes = false};
  }

  VerbsOptions options;
  std::shared_ptr<FakeNet> net = std::make_shared<FakeNet>();
};

inline void ExpectRoomLands(World* world, const ChannelPair& channel) {
  const Room& room = world->NewRoom(16 * 40);
  ASSERT_TRUE(world->target.transport->OpenWindow(world->WindowOf(room)).ok());
  const uint64_t cookie = world->Send(channel.source, room);
  ASSERT_TRUE(world->Drive(
      [&] { return world->HasPart(room) && world->source.recorder.done.contains(cookie); }));
  EXPECT_EQ(world->FirstMismatch(room), -1);
}

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_FAKE_WORLD_H_
