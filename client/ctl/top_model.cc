#include "client/ctl/top_model.h"

#include "client/ctl/names.h"

namespace baton::ctl {
namespace {

const v1::HostedRank* FindHosted(const v1::AgentStatusResponse& agent, const std::string& server,
                                 const std::string& coord) {
  for (const v1::HostedRank& hosted : agent.ranks()) {
    if (hosted.rank().server() == server && ShowCoord(hosted.rank().coord()) == coord) {
      return &hosted;
    }
  }
  return nullptr;
}

}  // namespace

v1::TopRank TopModel::RankOf(const v1::ServerRecord& server, const v1::RankRecord& record,
                             const AgentAnswers& agents, uint64_t interval_ms) {
  v1::TopRank rank;
  *rank.mutable_coord() = record.coord();
  const std::string coord = ShowCoord(record.coord());
  auto answer = agents.find(record.agent_address());
  if (answer == agents.end() || !answer->second.ok()) {
    rank.set_state("silent");
    return rank;
  }
  const v1::HostedRank* hosted = FindHosted(*answer->second, server.name(), coord);
  if (hosted == nullptr || !hosted->registered()) {
    rank.set_state("unregistered");
    return rank;
  }
  rank.set_rooms(hosted->rooms());
  rank.set_rooms_done(hosted->rooms_done());
  rank.set_rooms_failed(hosted->rooms_failed());
  const Seen now{answer->second->epoch(), hosted->bytes(), hosted->rooms_failed()};
  bool failing = false;
  auto before = seen_.find({server.name(), coord});
  // An engine that attached anew counts from zero again.
  if (before != seen_.end() && before->second.epoch == now.epoch && interval_ms > 0 &&
      now.bytes >= before->second.bytes && now.failed >= before->second.failed) {
    rank.set_bytes_per_second((now.bytes - before->second.bytes) * 1000 / interval_ms);
    failing = now.failed > before->second.failed;
  }
  next_[{server.name(), coord}] = now;
  rank.set_state(failing ? "failing" : hosted->rooms() > 0 ? "busy" : "idle");
  return rank;
}

v1::TopReport TopModel::Look(const v1::ListServersResponse& servers, const AgentAnswers& agents,
                             uint64_t unix_ms) {
  v1::TopReport report;
  report.set_unix_ms(unix_ms);
  if (last_ms_ != 0 && unix_ms > last_ms_) report.set_interval_ms(unix_ms - last_ms_);
  for (const v1::ServerRecord& server : servers.servers()) {
    v1::TopServer* out = report.add_servers();
    out->set_name(server.name());
    out->set_role(server.role());
    out->set_state(ShowState(server.state()));
    out->set_model(server.model());
    out->set_incarnation(server.incarnation());
    for (const v1::RankRecord& record : server.ranks()) {
      *out->add_ranks() = RankOf(server, record, agents, report.interval_ms());
    }
    for (const v1::RankCoord& coord : server.missing()) {
      v1::TopRank* rank = out->add_ranks();
      *rank->mutable_coord() = coord;
      rank->set_state("missing");
    }
  }
  for (const auto& [address, answer] : agents) {
    if (answer.ok()) continue;
    v1::AgentSilence* silent = report.add_silent();
    silent->set_agent_address(address);
    silent->set_cause(std::string(answer.status().message()));
  }
  seen_ = std::move(next_);
  next_.clear();
  last_ms_ = unix_ms;
  return report;
}

}  // namespace baton::ctl
