#include "tests/simulation/cluster.h"

#include <algorithm>

namespace baton::sim {
namespace {

constexpr uint32_t kPodsMax = 6;

constexpr RankCoord kSizes[] = {
    {1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 2}, {1, 1, 1, 2},
    {1, 2, 1, 1}, {2, 1, 1, 1}, {1, 1, 1, 4}, {1, 2, 1, 2},
};

}  // namespace

Cluster::Cluster(World* world, Checker* checker)
    : world_(world),
      checker_(checker),
      network_(world, kPodsMax + 1),
      path_(DrawPath()),
      crowded_(world->random.Chance(4)),
      bootstrap_(&network_, kPodsMax) {
  AddServer("prefill-a", Role::kPrefill);
  AddServer("decode-a", Role::kDecode);
  if (crowded_ || world_->random.Chance(25)) AddServer("prefill-b", Role::kPrefill);
  if (crowded_ || world_->random.Chance(25)) AddServer("decode-b", Role::kDecode);
  bootstrap_.SetObserver([this] { CheckRegistry(); });
  StartBootstrap(/*first=*/true);
  agents_.resize(pods_);
  for (uint32_t host = 0; host < pods_; ++host) StartAgent(host);
  for (Server& server : servers_) RestartServer(&server);
}

Cluster::~Cluster() = default;

PathTraits Cluster::DrawPath() {
  constexpr PathKind kKinds[] = {PathKind::kCopied, PathKind::kLent, PathKind::kWritten};
  PathTraits path;
  path.kind = kKinds[world_->random.Below(std::size(kKinds))];
  if (path.kind == PathKind::kWritten) path.rails = 1 + world_->random.Chance(65);
  path.checksums = path.kind != PathKind::kWritten && world_->random.Chance(25);
  // Half of the time what is under way is under way for a while.
  if (world_->random.Chance(50)) {
    network_.SetDrag(SimTransport::kDataPort, world_->random.Between(Duration(0), kMilli));
  }
  path.may_flip = [this] { return !mended_; };
  path.on_flipped = [this](Holder holder) { checker_->OnFlipped(holder); };
  path.on_moved = [this] { ++checker_->moved; };
  return path;
}

void Cluster::AddServer(const std::string& name, Role role) {
  Server server;
  server.name = name;
  server.role = role;
  server.sizes = kSizes[world_->random.Below(std::size(kSizes))];
  server.coords = CoordsOf(server.sizes);
  const uint32_t spread = server.coords.size() > 1 && world_->random.Chance(40) ? 2 : 1;
  for (size_t i = 0; i < server.coords.size(); ++i) server.hosts.push_back(pods_ + i % spread);
  server.engines.resize(server.coords.size());
  pods_ = std::min(pods_ + spread, kPodsMax);
  for (uint32_t& host : server.hosts) host = std::min(host, kPodsMax - 1);
  servers_.push_back(std::move(server));
}

uint32_t Cluster::HostOf(const Leg& leg) const {
  const Server& server = servers_[leg.server];
  const auto at = std::find(server.coords.begin(), server.coords.end(), leg.rank.coord);
  return server.hosts[at - server.coords.begin()];
}

void Cluster::StartAgent(uint32_t host) {
  if (agents_[host] != nullptr && agents_[host]->process()->alive) return;
  all_agents_.push_back(std::make_unique<Agent>(&network_, &bootstrap_, host, path_));
  Agent* agent = all_agents_.back().get();
  agent->SetComplain([this](const std::string& what) { checker_->Violated(what); });
  agents_[host] = agent;
  epochs_[agent->epoch()].agent = agent;
  world_->Trace("start agent", host, " epoch ", agent->epoch().value());
  WatchDeath(agent);
  WatchGoodbye(agent);
}

bool Cluster::Heard(const Agent& by, const Agent& from, TimePoint said) const {
  const Process& process = *by.process();
  // What was said over a path that was cut may have been heard later.
  return process.alive && !process.stopped && process.woke < said &&
         network_.healed(from.process()->host) < said;
}

void Cluster::WatchGoodbye(Agent* agent) {
  agent->SetOnPeerDown([this, agent](Epoch epoch) {
    auto it = epochs_.find(epoch);
    if (it == epochs_.end()) return;
    const auto& [other, died, left] = it->second;
    const TimePoint now = world_->now();
    if (left < now && network_.Calm(left) && Heard(*agent, *other, left)) {
      return checker_->figures.goodbye.Note(now - left);
    }
    if (died < left && died < now && Heard(*agent, *other, died)) {
      checker_->figures.noticed.Note(now - died);
    }
    // Nothing has happened for longer than a silence.
    const TimePoint since = now - kSilence - kSecond;
    if (died <= now || left <= now || !network_.Calm(since) || !Heard(*agent, *other, since) ||
        !Heard(*other, *agent, since) || other->started() > since || agent->started() > since) {
      return;
    }
    checker_->Violated(absl::StrCat("NoBystanders: ", agent->process()->name, " takes ",
                                    other->process()->name, " for dead"));
  });
  agent->SetOnLeft([this, agent] {
    const TimePoint left = epochs_[agent->epoch()].left = world_->now();
    world_->After(kGoodbyeTime, [this, agent, left] {
      for (Agent* other : agents_) {
        if (other == agent || !network_.Calm(left) || !Heard(*other, *agent, left)) continue;
        if (!other->HasPeer(agent->epoch())) continue;
        checker_->Violated(absl::StrCat("KillAnything: ", other->process()->name,
                                        " has not heard the goodbye of ", agent->process()->name));
      }
    });
  });
}

void Cluster::WatchDeath(Agent* agent) {
  agent->process()->at_death.push_back([this, agent] {
    const TimePoint died = world_->now();
    epochs_[agent->epoch()].died = died;
    world_->After(kSilence + kNoticeSlack, [this, agent, died] {
      for (Agent* other : agents_) {
        if (!Heard(*other, *agent, died) || !other->HasPeer(agent->epoch())) continue;
        checker_->Violated(absl::StrCat("KillAnything: ", other->process()->name,
                                        " has not noticed the death of ", agent->process()->name));
      }
    });
  });
}

void Cluster::KillAgent(uint32_t host) { world_->Kill(agents_[host]->process()); }

void Cluster::StartEngine(Server* server, size_t index) {
  Engine*& engine = server->engines[index];
  if (engine != nullptr && engine->process()->alive) return;
  EngineStart start;
  start.rank = {server->name, server->coords[index]};
  start.sizes = server->sizes;
  start.role = server->role;
  start.launch_id = server->launch_id();
  const uint32_t host = server->hosts[index];
  all_engines_.push_back(std::make_unique<Engine>(world_, checker_, start, host,
                                                  [this, host] { return agents_[host]; }));
  engine = all_engines_.back().get();
  world_->Trace("start ", engine->process()->name, " launch ", start.launch_id);
}

void Cluster::RestartServer(Server* server) {
  ++server->launches;
  for (size_t i = 0; i < server->engines.size(); ++i) {
    if (server->engines[i] != nullptr) world_->Kill(server->engines[i]->process());
    StartEngine(server, i);
  }
}

void Cluster::Mend() {
  world_->Trace("mend everything");
  mended_ = true;
  for (uint32_t a = 0; a <= kPodsMax; ++a) {
    network_.SetSlow(a, 1);
    for (uint32_t rail = 0; rail < path_.rails; ++rail) network_.SetRail(a, rail, true);
    for (uint32_t b = 0; b <= kPodsMax; ++b) network_.SetCut(a, b, false);
  }
  if (!bootstrap_.process()->alive) StartBootstrap(/*first=*/false);
  world_->Wake(bootstrap_.process());
  for (uint32_t host = 0; host < pods_; ++host) {
    if (agents_[host]->draining()) KillAgent(host);
    StartAgent(host);
    world_->Wake(agents_[host]->process());
  }
  for (Server& server : servers_) {
    for (size_t i = 0; i < server.engines.size(); ++i) {
      StartEngine(&server, i);
      world_->Wake(server.engines[i]->process());
    }
  }
}

std::string Cluster::Leftovers() {
  for (Agent* agent : agents_) {
    const std::string& name = agent->process()->name;
    if (uint32_t rooms = agent->core().open_rooms(); rooms > 0) {
      return absl::StrCat(name, " has ", rooms, " open rooms");
    }
    if (size_t held = agent->core().context().held.rooms(); held > 0) {
      return absl::StrCat(name, " holds ", held, " rooms that nobody opened");
    }
    if (size_t windows = agent->transport().windows(); windows > 0) {
      return absl::StrCat(name, " has ", windows, " open windows");
    }
    if (size_t segments = agent->transport().segments(); segments > 0) {
      return absl::StrCat(name, " has ", segments, " segments under way");
    }
    size_t attached = 0;
    for (const Server& server : servers_) {
      for (const Engine* engine : server.engines) attached += engine->agent() == agent;
    }
    if (agent->transport().memories() != attached) {
      return absl::StrCat(name, " holds the memory of ", agent->transport().memories(), " ranks, ",
                          attached, " are attached");
    }
  }
  for (const Server& server : servers_) {
    for (const Engine* engine : server.engines) {
      if (engine->free_pages() != kPages) {
        return absl::StrCat(engine->process()->name, " has pages that no room gave back");
      }
    }
  }
  return "";
}

void Cluster::CheckRegistry() {
  const TimePoint now = world_->now();
  const TimePoint judged = std::max(bootstrap_.started(), bootstrap_.process()->woke);
  for (const auto& [name, server] : bootstrap_.registry().servers()) {
    const bool ready = server->phase.state() == registry::ServerPhase::kReady;
    uint32_t live = 0;
    for (const registry::Slot& slot : server->slots) {
      if (slot.phase.state() != registry::SlotPhase::kLive) continue;
      ++live;
      const TimePoint died = epochs_[slot.epoch].died;
      if (died == TimePoint::max()) continue;
      if (now > std::max(died, judged) + kLease + kNoticeSlack) {
        return checker_->Violated(
            absl::StrCat("KillAnything: the registry lists a rank of ", name, " whose agent died"));
      }
    }
    if (ready && live != server->slots.size()) {
      return checker_->Violated(absl::StrCat("ReadyIsASet: ", name, " is ready with ", live, " of ",
                                             server->slots.size(), " slots"));
    }
  }
}

}  // namespace baton::sim
