#include "transfer_agent/page/status_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace baton::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kHostile[] = "<script>x</script>\"'&\x01\xff";

v1::RankRef Rank(const std::string& server) {
  v1::RankRef rank;
  rank.set_server(server);
  rank.mutable_coord()->set_tp(3);
  return rank;
}

v1::RoomStatus Room(const std::string& server, const std::string& state, uint64_t age_ms) {
  v1::RoomStatus room;
  room.mutable_room()->set_id(age_ms);
  *room.mutable_rank() = Rank(server);
  room.set_state(state);
  room.set_age_ms(age_ms);
  return room;
}

v1::RoomStatus Failed(const std::string& server, const std::string& message) {
  v1::RoomStatus room = Room(server, "failed", 7);
  room.mutable_cause()->set_reason("PEER_LOST");
  room.mutable_cause()->set_message(message);
  *room.mutable_cause()->mutable_rank() = Rank("prefill-b");
  return room;
}

PageInput Input(const std::string& name) {
  PageInput input;
  input.health.ready = true;
  input.status.set_address(name);
  v1::HostedRank* rank = input.status.add_ranks();
  *rank->mutable_rank() = Rank(name);
  rank->set_registered(false);
  rank->set_registration_error(name);
  v1::TransportStatus* transport = input.status.add_transports();
  transport->set_name("verbs");
  transport->set_summary(name);
  v1::PeerStatus* peer = input.status.add_peers();
  peer->set_agent_address(name);
  peer->set_state("up");
  peer->set_transport("tcp (another host)");
  metrics::Histogram fast;
  metrics::Histogram slow;
  fast.Observe(std::chrono::milliseconds(1));
  slow.Observe(std::chrono::milliseconds(80));
  input.stages = {{"offer", fast.Read()}, {"land", slow.Read()}};
  input.live = {Room(name, "offered", 10), Room(name, "looking", 2000)};
  input.failed = {Failed(name, name)};
  return input;
}

TEST(AgentPage, ShowsRanksRoomsFailuresPathsAndTheSlowestStage) {
  const std::string html = StatusPage(Input("agent-a"));
  EXPECT_THAT(html, HasSubstr("agent-a[dp0/pp0/cp0/tp3]"));
  EXPECT_THAT(html, HasSubstr("<b class=registering>waiting</b> agent-a"));
  EXPECT_THAT(html, HasSubstr("Slowest stage: <strong>land</strong>, 80.0 ms in the mean."));
  EXPECT_THAT(html, HasSubstr("<td class=bad>PEER_LOST</td><td>prefill-b[dp0/pp0/cp0/tp3]</td>"));
  EXPECT_THAT(html, HasSubstr("<td>tcp (another host)</td>"));
  EXPECT_THAT(html, HasSubstr("<td>verbs</td><td class=bad>off</td>"));
  // The oldest room comes first.
  EXPECT_LT(html.find("looking"), html.find("offered"));
}

TEST(AgentPage, WhateverAPeerOrAnEngineSaysIsOnlyText) {
  PageInput input = Input(kHostile);
  input.health.ready = false;
  input.health.why = kHostile;
  const std::string html = StatusPage(input);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("\"'&")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;x&lt;/script&gt;&quot;&#39;&amp;??"));
}

TEST(AgentPage, IsBoundedWhateverTheAgentDoes) {
  const std::string longest(100000, '\'');
  PageInput input = Input(std::string(256, '\''));
  input.health.ready = false;
  input.health.why = longest;
  for (int i = 0; i < 1024; ++i) {
    *input.status.add_ranks() = input.status.ranks(0);
    *input.status.add_peers() = input.status.peers(0);
    input.live.push_back(Room(std::string(128, '"'), "offered", i));
    input.failed.push_back(Failed(std::string(128, '"'), longest));
  }
  EXPECT_LT(StatusPage(input).size(), kPageBytesMax);
}

TEST(AgentPage, SaysWhenThereIsNothingYet) {
  PageInput input;
  const std::string html = StatusPage(input);
  EXPECT_THAT(html, HasSubstr("No engine is attached."));
  EXPECT_THAT(html, HasSubstr("No room has come through yet."));
  EXPECT_THAT(html, HasSubstr("<h2>Last failures</h2>\n<p>None.</p>"));
}

}  // namespace
}  // namespace baton::agent
