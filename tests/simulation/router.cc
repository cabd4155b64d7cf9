#include "tests/simulation/router.h"

#include <algorithm>
#include <set>

namespace baton::sim {

std::vector<size_t> Router::ServersOf(Role role) {
  std::vector<size_t> servers;
  for (size_t i = 0; i < cluster_->servers().size(); ++i) {
    if (cluster_->servers()[i].role == role) servers.push_back(i);
  }
  return servers;
}

Engine* Router::EngineOf(const Leg& leg) {
  const Server& server = cluster_->servers()[leg.server];
  const auto at = std::find(server.coords.begin(), server.coords.end(), leg.rank.coord);
  return server.engines[at - server.coords.begin()];
}

Request* Router::Draw(size_t prefill, size_t decode) {
  Random& random = cluster_->world().random;
  requests_.push_back(std::make_unique<Request>());
  Request* request = requests_.back().get();
  request->number = requests_.size();
  request->salt = random.Next();
  request->prefill = prefill;
  request->decode = decode;
  request->prefill_dp = random.Below(cluster_->servers()[prefill].sizes.dp);
  request->decode_dp = random.Below(cluster_->servers()[decode].sizes.dp);
  request->dp_told = random.Chance(70);
  request->total = 1 + random.Below(12);
  request->prefix = random.Chance(60) ? 0 : random.Below(request->total + 1);
  request->time_left_ms = random.Chance(70) ? 1000 + random.Below(5000) : 50 + random.Below(900);
  request->begins = cluster_->world().now();
  if (cluster_->crowded() && random.Chance(80)) {
    request->pace = 500;
    request->time_left_ms = 12000;
  }
  request->moves = cluster_->path().kind == PathKind::kWritten;
  // Ids of few, so that they come again; a nonce tells them apart, where there is one.
  const bool fresh = random.Chance(75);
  request->key = {random.Below(6), fresh ? random.Next() | 1 : 0};
  if (!fresh) NoteReuse(request);
  AddLegs(request);
  return request;
}

void Router::NoteReuse(Request* request) {
  request->Hurt();  // may be refused: the id is in use
  for (const auto& other : requests_) {
    if (other.get() == request || other->key != request->key) continue;
    for (const auto& leg : other->legs) {
      // Until its last rank has closed, and for the second that an id lingers.
      if (!leg->closed && !leg->gone()) other->mixed = request->mixed = true;
    }
  }
}

void Router::AddLegs(Request* request) {
  for (size_t index : {request->prefill, request->decode}) {
    const Server& server = cluster_->servers()[index];
    const bool source = server.role == Role::kPrefill;
    const uint32_t dp = source ? request->prefill_dp : request->decode_dp;
    for (const RankCoord& coord : server.coords) {
      if (coord.dp != dp) continue;
      auto leg = std::make_unique<Leg>();
      leg->request = request;
      leg->server = index;
      leg->rank = {server.name, coord};
      leg->sizes = server.sizes;
      leg->role = server.role;
      request->legs.push_back(std::move(leg));
    }
  }
}

void Router::DrawQuirk(Request* request) {
  Random& random = cluster_->world().random;
  if (random.Chance(55)) return;
  constexpr Quirk kQuirks[] = {Quirk::kNeverOpens,   Quirk::kNeverSends,  Quirk::kSendsTwice,
                               Quirk::kTotalsDiffer, Quirk::kSkipsTokens, Quirk::kAborts,
                               Quirk::kAborts,       Quirk::kAborts,      Quirk::kOperatorAborts};
  request->quirk = kQuirks[random.Below(std::size(kQuirks))];
  const bool any_leg = request->quirk == Quirk::kNeverOpens || request->quirk == Quirk::kAborts ||
                       request->quirk == Quirk::kOperatorAborts;
  std::vector<Leg*> legs;
  for (const auto& leg : request->legs) {
    if (any_leg || leg->role == Role::kPrefill) legs.push_back(leg.get());
  }
  Leg* chosen = legs[random.Below(legs.size())];
  chosen->quirky = true;
  if (request->quirk != Quirk::kAborts && request->quirk != Quirk::kOperatorAborts) return;
  World& world = cluster_->world();
  world.After(random.Between(kMicro, 12 * kMilli), [this, request, chosen] {
    Engine* engine = EngineOf(*chosen);
    if (request->quirk == Quirk::kAborts) return engine->Abort(chosen);
    Agent* agent = engine->agent();
    if (agent == nullptr) return;
    cluster_->world().Run(agent->process(), [agent, request, now = &cluster_->world()] {
      agent->core().AbortRoom(request->key, std::nullopt, "an operator asked", now->now());
      agent->Wake();
    });
  });
}

// Every party is there, and no two have still to find each other again. (Those that never met need
// not have: meeting is part of a request.)
bool Router::AllReady(const Request& request) {
  for (const auto& leg : request.legs) {
    if (!EngineOf(*leg)->Ready()) return false;
  }
  for (const auto& target : request.legs) {
    if (target->role != Role::kDecode) continue;
    const Agent& agent = *EngineOf(*target)->agent();
    for (const auto& source : request.legs) {
      if (source->role != Role::kPrefill) continue;
      if (!agent.Knows(source->rank, *EngineOf(*source)->agent())) return false;
    }
  }
  return true;
}

void Router::Begin(Request* request) {
  if (!AllReady(*request)) request->Hurt();
  for (const auto& leg : request->legs) {
    if (leg->quirky && request->quirk == Quirk::kNeverOpens) continue;
    EngineOf(*leg)->TakePart(leg.get(), cluster_->servers()[request->prefill].name);
  }
}

void Router::Send() {
  Random& random = cluster_->world().random;
  const std::vector<size_t> prefills = ServersOf(Role::kPrefill);
  const std::vector<size_t> decodes = ServersOf(Role::kDecode);
  Request* request =
      Draw(prefills[random.Below(prefills.size())], decodes[random.Below(decodes.size())]);
  DrawQuirk(request);
  Begin(request);
}

void Router::SendProbes() {
  for (size_t prefill : ServersOf(Role::kPrefill)) {
    for (size_t decode : ServersOf(Role::kDecode)) {
      Request* request = Draw(prefill, decode);
      request->key.nonce = cluster_->world().random.Next() | 1;
      request->time_left_ms = 3000;
      request->pace = 1;
      request->disturbed = request->hurt = false;
      probes_.push_back(request);
      Begin(request);
    }
  }
}

void Router::CheckProbes() {
  for (const Request* probe : probes_) checker_->CheckProbe(*probe);
}

bool Router::Touches(const Disturbance& d, const Request& request) const {
  // On either side of the path, if it is one.
  std::set<uint32_t> sources, targets;
  for (const auto& leg : request.legs) {
    if (std::find(d.ranks.begin(), d.ranks.end(), leg->rank) != d.ranks.end()) return true;
    const uint32_t host = cluster_->HostOf(*leg);
    (leg->role == Role::kPrefill ? sources : targets).insert(host);
    const bool on_host = std::find(d.hosts.begin(), d.hosts.end(), host) != d.hosts.end();
    if (on_host && !d.pair) return true;
  }
  if (d.registry && !request.dp_told) return true;
  if (!d.pair) return false;
  return (sources.contains(d.hosts[0]) && targets.contains(d.hosts[1])) ||
         (sources.contains(d.hosts[1]) && targets.contains(d.hosts[0]));
}

// On the host that lost one, all the time.
bool Router::RailIsLeft(const Disturbance& lost, const std::vector<Disturbance>& others) const {
  if (cluster_->path().rails == 1) return false;
  return std::none_of(others.begin(), others.end(), [&](const Disturbance& d) {
    return d.rail.has_value() && d.rail != lost.rail && d.hosts == lost.hosts &&
           d.from <= lost.until && d.until >= lost.from;
  });
}

void Router::NoteDisturbed(const std::vector<Disturbance>& disturbances) {
  const TimePoint now = cluster_->world().now();
  for (const auto& request : requests_) {
    if (request->hurt) continue;
    for (const Disturbance& d : disturbances) {
      if (d.from > now || d.until < request->begins || !Touches(d, *request)) continue;
      request->disturbed = true;
      const bool path_alone = d.only_broken || d.rail.has_value();
      if (!path_alone) request->hurt = true;
      if (path_alone) request->broken = std::max(request->broken, d.from);
      if (!d.rail.has_value()) continue;
      request->rail_lost = true;
      request->no_rail = request->no_rail || !RailIsLeft(d, disturbances);
    }
  }
}

void Router::OnDeath(const std::vector<const Process*>& dead) {
  auto dies = [&](const Process* process) {
    return std::find(dead.begin(), dead.end(), process) != dead.end();
  };
  std::vector<Leg*> survivors;
  for (const auto& request : requests_) {
    std::vector<Leg*> hit;
    std::vector<Leg*> others;
    for (const auto& leg : request->legs) {
      if (leg->engine == nullptr || leg->closed) continue;
      const Agent* agent = leg->engine->agent();
      const bool dying =
          dies(leg->engine->process().get()) || (agent != nullptr && dies(agent->process().get()));
      (dying ? hit : others).push_back(leg.get());
    }
    if (hit.empty()) continue;
    request->Hurt();  // also when it began before
    // Who had been offered pages by a dead one, or had offered it some. Its siblings learn by them.
    for (Leg* leg : others) {
      const bool partner = std::any_of(hit.begin(), hit.end(), [&](const Leg* one) {
        return one->state == LegState::kOffered && one->role != leg->role && Feeds(*one, *leg);
      });
      if (partner) survivors.push_back(leg);
    }
  }
  checker_->OnDeath(survivors);
}

}  // namespace baton::sim
