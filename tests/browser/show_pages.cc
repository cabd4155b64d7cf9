// Serves both status pages with example data, and with names that try to be markup, for
// browser_test.py. Prints its address and runs until its standard input ends.
//
//   /bootstrap  /agent  /hostile_bootstrap  /hostile_agent
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "admin/http_server.h"
#include "bootstrap_service/page/status_page.h"
#include "transfer_agent/page/status_page.h"

namespace baton {
namespace {

constexpr char kHostile[] =
    "<script>document.title='owned'</script><img src=x onerror=alert(1)>\"'></td></table>"
    "<h1>owned</h1>&lt;\x01\xff";

v1::RankCoord Coord(uint32_t dp, uint32_t pp, uint32_t cp, uint32_t tp) {
  v1::RankCoord coord;
  coord.set_dp(dp);
  coord.set_pp(pp);
  coord.set_cp(cp);
  coord.set_tp(tp);
  return coord;
}

struct Example {
  std::string name;
  v1::Role role;
  v1::ServerState state;
  v1::RankCoord sizes;
  // The first slots that no live rank fills.
  uint32_t missing;
};

v1::ServerRecord Server(const Example& example) {
  v1::ServerRecord server;
  server.set_name(example.name);
  server.set_incarnation(1795000000000 + example.name.size());
  server.set_role(example.role);
  server.set_model("deepseek-v3");
  server.set_state(example.state);
  *server.mutable_spec()->mutable_sizes() = example.sizes;
  uint32_t number = 0;
  const v1::RankCoord& sizes = example.sizes;
  for (uint32_t dp = 0; dp < sizes.dp(); ++dp) {
    for (uint32_t pp = 0; pp < sizes.pp(); ++pp) {
      for (uint32_t cp = 0; cp < sizes.cp(); ++cp) {
        for (uint32_t tp = 0; tp < sizes.tp(); ++tp) {
          if (number++ < example.missing) continue;
          v1::RankRecord* rank = server.add_ranks();
          *rank->mutable_coord() = Coord(dp, pp, cp, tp);
          rank->set_epoch(0x5eed + number / 8);
          rank->set_agent_address(absl::StrCat("10.1.0.", number / 8, ":7400"));
        }
      }
    }
  }
  server.set_missing_count(example.missing);
  server.mutable_load()->set_rooms(12);
  server.mutable_load()->set_bytes_per_second(23'400'000'000);
  server.mutable_load()->set_healthy(true);
  return server;
}

registry::PageInput Bootstrap(const std::string& name) {
  registry::PageInput input;
  input.address = "10.0.0.1:7411";
  input.health.ready = true;
  input.watchers = 9;
  for (const Example& example : {
           Example{"decode-a", v1::ROLE_DECODE, v1::SERVER_STATE_READY, Coord(4, 1, 1, 8), 0},
           Example{"decode-b", v1::ROLE_DECODE, v1::SERVER_STATE_DRAINING, Coord(1, 1, 1, 8), 0},
           Example{name, v1::ROLE_PREFILL, v1::SERVER_STATE_READY, Coord(1, 2, 4, 8), 0},
           Example{"prefill-b", v1::ROLE_PREFILL, v1::SERVER_STATE_REGISTERING, Coord(1, 1, 2, 8),
                   3},
       }) {
    input.servers.push_back(Server(example));
  }
  return input;
}

v1::RankRef Rank(const std::string& server, uint32_t tp) {
  v1::RankRef rank;
  rank.set_server(server);
  *rank.mutable_coord() = Coord(0, 0, 0, tp);
  return rank;
}

v1::RoomStatus Room(uint64_t id, const std::string& server, const std::string& state) {
  v1::RoomStatus room;
  room.mutable_room()->set_id(id);
  *room.mutable_rank() = Rank(server, id % 4);
  room.set_state(state);
  room.set_age_ms(20 * id);
  room.set_bytes(id << 20);
  return room;
}

agent::StageValues Stage(const std::string& name, std::chrono::microseconds time) {
  metrics::Histogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.Observe(time * i / 50);
  return {name, histogram.Read()};
}

agent::PageInput Agent(const std::string& name) {
  agent::PageInput input;
  input.health.ready = true;
  v1::AgentStatusResponse& status = input.status;
  status.set_version("0.1.0");
  status.set_epoch(0x5eed);
  status.set_address("10.1.0.2:7400");
  status.set_workers(4);
  status.set_rooms_done(18231);
  status.set_rooms_failed(1);
  status.set_bytes_landed(uint64_t{81} << 40);
  for (uint32_t tp = 0; tp < 4; ++tp) {
    v1::HostedRank* rank = status.add_ranks();
    *rank->mutable_rank() = Rank(name, tp);
    rank->set_role(v1::ROLE_DECODE);
    rank->set_incarnation(1795000000008);
    rank->set_worker(tp);
    rank->set_registered(tp != 3);
    if (tp == 3) rank->set_registration_error(absl::StrCat("the lease of ", name, " has ended"));
    rank->set_rooms(2);
    rank->set_pool_bytes(uint64_t{48} << 30);
  }
  for (const char* transport : {"verbs", "tcp"}) {
    v1::TransportStatus* one = status.add_transports();
    one->set_name(transport);
    one->set_on(true);
    one->set_summary(transport == std::string("verbs") ? "mlx5_0/1, mlx5_1/1" : name);
  }
  v1::PeerStatus* peer = status.add_peers();
  peer->set_agent_address(name);
  peer->set_state("up");
  peer->set_transport("verbs (another host)");
  using us = std::chrono::microseconds;
  input.stages = {Stage("offer", us(180)), Stage("match", us(900)), Stage("connect", us(2500)),
                  Stage("post", us(700)), Stage("land", us(12000))};
  for (uint64_t id = 3; id < 9; ++id) {
    input.live.push_back(Room(id, name, id % 2 == 0 ? "offered" : "looking"));
  }
  v1::RoomStatus failed = Room(2, name, "failed");
  failed.mutable_cause()->set_reason("PEER_LOST");
  failed.mutable_cause()->set_message(absl::StrCat("nothing heard from ", name, " for 3000 ms"));
  *failed.mutable_cause()->mutable_rank() = Rank("prefill-b", 1);
  input.failed = {failed};
  return input;
}

int Serve() {
  admin::HttpRoutes routes;
  auto page = [&routes](const char* path, const std::string& html) {
    routes[path] = [html](absl::string_view) { return admin::HttpAnswer{200, admin::kHtml, html}; };
  };
  page("/bootstrap", registry::StatusPage(Bootstrap("prefill-a")));
  page("/hostile_bootstrap", registry::StatusPage(Bootstrap(kHostile)));
  page("/agent", agent::StatusPage(Agent("decode-a")));
  page("/hostile_agent", agent::StatusPage(Agent(kHostile)));
  auto server = admin::HttpServer::Start("127.0.0.1:0", std::move(routes));
  if (!server.ok()) {
    fprintf(stderr, "%s\n", std::string(server.status().message()).c_str());
    return 1;
  }
  printf("%s\n", (*server)->address().c_str());
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
  return 0;
}

}  // namespace
}  // namespace baton

int main() { return baton::Serve(); }
