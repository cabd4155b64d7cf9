// News must not wait for a beat: with beats an hour apart it would never come.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/support/eventually.h"
#include "transfer_agent/control/links.h"
#include "transfer_agent/control/memory_wires.h"
#include "transfer_agent/control/recorder.h"

namespace baton::control {
namespace {

struct Agent {
  Agent(MemoryNet* net, const std::string& name, uint64_t epoch)
      : links(Options(name, epoch), &events, net->MakeWires()) {
    absl::Status started = links.Start();
    EXPECT_TRUE(started.ok()) << started;
  }
  static PeerLinksOptions Options(const std::string& name, uint64_t epoch) {
    PeerLinksOptions options;
    options.listen_address = name + ":1";
    options.epoch = Epoch(epoch);
    options.heartbeat = options.idle = std::chrono::hours(1);
    options.silence = std::chrono::hours(10);
    return options;
  }
  bool HeardOf(const std::string& server) const {
    if (events.up_count() == 0) return false;
    for (const v1::Frame& frame : events.peer(0).frames[Index(Priority::kBulk)]) {
      for (const v1::RankAnnouncement& rank : frame.announce().ranks()) {
        if (rank.rank().server() == server) return true;
      }
    }
    return false;
  }

  Recorder events;
  Links links;
};

v1::Announce Announcing(const std::string& server) {
  v1::Announce announce;
  announce.add_ranks()->mutable_rank()->set_server(server);
  announce.mutable_ranks(0)->set_role(v1::ROLE_PREFILL);
  return announce;
}

// Seen as 507 ms before the first room of a fresh pair, in ten of twelve: what the accepting side
// announces lay on its bulk stream when the urgent one was the last to come.
TEST(WakeUp, WhatIsAnnouncedReachesAFreshPeerWithoutABeat) {
  MemoryNet net(5);
  Agent source(&net, "p", 1);
  source.links.SetAnnounced(Announcing("prefill-a"));
  std::vector<std::unique_ptr<Agent>> targets;
  for (uint64_t i = 0; i < 32; ++i) {
    targets.push_back(std::make_unique<Agent>(&net, "d" + std::to_string(i), 2 + i));
    targets.back()->links.Dial("p:1");
    ASSERT_TRUE(Eventually([&] { return targets.back()->HeardOf("prefill-a"); })) << i;
  }
}

}  // namespace
}  // namespace baton::control
