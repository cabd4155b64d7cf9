// One agent's links and what they report, for tests.
#ifndef BATON_TRANSFER_AGENT_CONTROL_TEST_AGENT_H_
#define BATON_TRANSFER_AGENT_CONTROL_TEST_AGENT_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/support/eventually.h"
#include "transfer_agent/control/recorder.h"

namespace baton::control {

// A frame that carries a number, to tell frames apart.
inline v1::Frame Numbered(uint64_t number, size_t bytes = 0) {
  v1::Frame frame;
  frame.mutable_channel_open()->set_channel(number);
  frame.mutable_channel_open()->set_transport("tcp");
  if (bytes > 0) frame.mutable_channel_open()->set_data(std::string(bytes, 'x'));
  return frame;
}

inline v1::Announce Announcing(const std::string& server) {
  v1::Announce announce;
  v1::RankAnnouncement& rank = *announce.add_ranks();
  rank.mutable_rank()->set_server(server);
  rank.set_role(v1::ROLE_DECODE);
  return announce;
}

struct TestAgent {
  // Short times, so that tests of silence are short; long enough for a sanitizer's slowness.
  static PeerLinksOptions Options(uint64_t epoch) {
    PeerLinksOptions options;
    options.epoch = Epoch(epoch);
    options.heartbeat = std::chrono::milliseconds(50);
    options.silence = std::chrono::milliseconds(2000);
    return options;
  }

  explicit TestAgent(uint64_t epoch) : TestAgent(Options(epoch)) {}
  explicit TestAgent(const PeerLinksOptions& options) : links(MakePeerLinks(options, &events)) {
    absl::Status started = links->Start();
    EXPECT_TRUE(started.ok()) << started;
  }

  std::string address() const { return links->address(); }
  // Waits for the n-th peer to be up, and returns its id.
  PeerId AwaitPeer(size_t n) {
    EXPECT_TRUE(Eventually([&] { return events.up_count() > n; })) << "peer " << n << " not up";
    return events.up_count() > n ? events.id(n) : PeerId();
  }

  Recorder events;
  std::unique_ptr<PeerLinks> links;
};

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_TEST_AGENT_H_
