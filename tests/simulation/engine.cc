#include "tests/simulation/engine.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "common/shm_abi/attach_limits.h"

namespace baton::sim {

using shm_abi::RoomState;

namespace {

constexpr Duration kStall = std::chrono::milliseconds(shm_abi::kStallMs);

}  // namespace

Engine::Engine(World* world, Checker* checker, EngineStart start, uint32_t host,
               std::function<Agent*()> agent)
    : world_(world),
      checker_(checker),
      start_(std::move(start)),
      find_agent_(std::move(agent)),
      process_(world->NewProcess("engine " + ToString(start_.rank), host)),
      pool_(
          std::make_shared<Pool>(start_.rank, SpecOf(start_.sizes),
                                 [checker](const std::string& what) { checker->Violated(what); })) {
  process_->at_death.push_back([this] {
    for (Leg* leg : slots_) {
      if (leg != nullptr) checker_->OnEngineDied(leg);
    }
  });
  TryAttach();
}

bool Engine::Ready() const {
  if (!process_->alive || agent_ == nullptr || !agent_->process()->alive) return false;
  const worker::HostedRank* rank = agent_->core().context().FindRank(start_.rank);
  return rank != nullptr && rank->accepting;
}

void Engine::TryAttach() {
  if (agent_ != nullptr) return;
  Agent* agent = find_agent_();
  if (agent == nullptr || !agent->process()->alive) {
    return world_->RunAfter(process_, world_->random.Between(5 * kMilli, 50 * kMilli),
                            [this] { TryAttach(); });
  }
  world_->RunAfter(agent->process(), 20 * kMicro, [this, agent] {
    if (process_->alive && agent_ == nullptr) AttachTo(agent);
  });
  // The agent may end before it answers.
  world_->RunAfter(process_, 100 * kMilli, [this] { TryAttach(); });
}

void Engine::AttachTo(Agent* agent) {
  const uint64_t life = life_ + 1;
  auto shared = std::make_shared<Attachment>();
  shared->published = [this, life](uint32_t slot, shm_abi::RoomWord word) {
    OnPublished(life, slot, word);
  };
  Agent::Guest guest{start_.rank, start_.role, start_.launch_id, pool_, shared, nullptr};
  guest.ended = [this, life] {
    world_->RunAfter(process_, kMilli, [this, life] { OnDetached(life, false); });
  };
  auto id = agent->Attach(guest);
  if (!id.ok()) return;
  life_ = life;
  ReleaseGhosts();
  shared_ = std::move(shared);
  agent_ = agent;
  world_->Trace(process_->name, " is attached, life ", life);
  process_->at_death.push_back([world = world_, agent, id = *id] {
    world->RunAfter(agent->process(), world->random.Between(20 * kMicro, kMilli),
                    [agent, id] { agent->EngineLeft(id); });
  });
  // The pidfd.
  agent->process()->at_death.push_back([this, life] {
    world_->RunAfter(process_, world_->random.Between(20 * kMicro, 5 * kMilli), [this, life] {
      OnDetached(life, true);
      if (life == life_) ReleaseGhosts();
    });
  });
}

void Engine::OnDetached(uint64_t life, bool agent_died) {
  if (life != life_ || agent_ == nullptr) return;
  world_->Trace(process_->name, agent_died ? " sees its agent dead" : " is detached");
  agent_ = nullptr;
  for (Leg*& leg : slots_) {
    if (leg == nullptr) continue;
    checker_->OnAgentLost(leg);
    ghosts_.push_back(leg->holder);
    leg->closed = true;
    leg = nullptr;
  }
  if (agent_died) ReleaseGhosts();
  TryAttach();
}

void Engine::ReleaseGhosts() {
  for (Holder holder : ghosts_) {
    pool_->Release(holder, /*poison=*/true);
    pool_->Free(holder);
  }
  ghosts_.clear();
}

void Engine::WatchAgent() {
  if (watching_) return;
  watching_ = true;
  world_->RunAfter(process_, 100 * kMilli, [this] {
    watching_ = false;
    LookAtAgent();
  });
}

void Engine::LookAtAgent() {
  if (agent_ == nullptr) return;
  const Process& agent = *agent_->process();
  const bool stalled = agent.stopped && world_->now() - agent.fell_asleep >= kStall;
  bool any = false;
  for (Leg* leg : slots_) {
    if (leg == nullptr) continue;
    any = true;
    if (stalled && !leg->terminal() && !leg->quarantined) {
      leg->quarantined = true;
      checker_->OnQuarantined(leg);
    } else if (!agent.stopped && std::exchange(leg->quarantined, false) && !leg->terminal()) {
      // It was given up; its pages are free when the table says so.
      Push(shm_abi::Abort{leg->slot, "the agent showed no heartbeat"});
    }
  }
  if (any) WatchAgent();
}

void Engine::TakePart(Leg* leg, const std::string& prefill_name) {
  const TimePoint give_up = world_->now() + std::chrono::milliseconds(leg->request->time_left_ms);
  const Duration delay = world_->random.Between(kMicro, 3 * kMilli);
  world_->RunAfter(process_, delay,
                   [this, leg, prefill_name, give_up] { Open(leg, prefill_name, give_up); });
}

void Engine::Open(Leg* leg, const std::string& prefill_name, TimePoint give_up) {
  const Request& request = *leg->request;
  uint32_t slot = 0;
  while (slot < kRows && slots_[slot] != nullptr) ++slot;
  const uint64_t first = leg->role == Role::kDecode ? request.prefix : 0;
  const uint64_t total =
      request.total + (leg->quirky && request.quirk == Quirk::kTotalsDiffer ? 2 : 0);
  const uint32_t pages = (total + kPageTokens - 1) / kPageTokens - first / kPageTokens;
  const uint32_t needed = first == total ? 0 : pages;
  leg->holder = checker_->NewHolder(leg);
  if (agent_ == nullptr || slot == kRows ||
      !pool_->Take(leg->holder, needed, &leg->pages, &leg->row)) {
    if (world_->now() > give_up) return checker_->OnNeverOpened(leg);
    return world_->RunAfter(process_, 5 * kMilli, [this, leg, prefill_name, give_up] {
      Open(leg, prefill_name, give_up);
    });
  }
  if (!Ready()) leg->request->Hurt();  // it will be refused
  leg->slot = {slot, ++generations_[slot]};
  slots_[slot] = leg;
  leg->engine = this;
  leg->fence = agent_->transport().fence_time(leg->role == Role::kPrefill);
  checker_->OnOpened(leg);
  WatchAgent();
  if (leg->role == Role::kPrefill) {
    Push(shm_abi::OpenSend{leg->slot, request.key, total, request.time_left_ms});
    return PlanChunks(leg);
  }
  shm_abi::OpenReceive open;
  open.slot = leg->slot;
  open.room = request.key;
  open.prefill_server = prefill_name;
  if (request.dp_told) open.prefill_dp = request.prefill_dp;
  open.total_tokens = request.total;
  open.prefix_tokens = request.prefix;
  open.time_left_ms = request.time_left_ms;
  open.pages = {leg->pages};
  open.aux_row = leg->row;
  Push(std::move(open));
}

// As many tokens as the room has, but the first half of them twice.
bool Engine::PlanRepeatedTokens(Leg* leg) {
  const Request& request = *leg->request;
  const uint64_t half = request.total / 2;
  const bool fits = request.prefix == 0 && half > 0 && request.number % 2 == 1;
  if (!leg->quirky || request.quirk != Quirk::kSendsTwice || !fits) return false;
  const std::vector<std::pair<uint64_t, uint64_t>> chunks = {
      {0, half}, {0, half}, {2 * half, request.total}};
  Duration at = Duration(0);
  for (size_t i = 0; i < chunks.size(); ++i) {
    at += request.pace * world_->random.Between(kMicro, 4 * kMilli);
    world_->RunAfter(process_, at,
                     [this, leg, chunk = chunks[i], last = i + 1 == chunks.size(), life = life_] {
                       if (life != life_ || slots_[leg->slot.slot] != leg) return;
                       SendChunk(leg, chunk.first, chunk.second, last);
                     });
  }
  return true;
}

void Engine::PlanChunks(Leg* leg) {
  if (PlanRepeatedTokens(leg)) return;
  const Request& request = *leg->request;
  const uint64_t total = request.total;
  uint64_t begin = 0;
  if (leg->quirky && request.quirk == Quirk::kSkipsTokens && request.prefix + 1 < total) {
    begin = request.prefix + 1;
  }
  Duration at = Duration(0);
  bool last = false;
  while (!last) {
    const uint64_t left = total - begin;
    uint64_t end = total;
    if (left > 1 && world_->random.Chance(60)) end = begin + 1 + world_->random.Below(left);
    // An empty last chunk now and then.
    last = end == total && !world_->random.Chance(15);
    const bool silent = last && leg->quirky && request.quirk == Quirk::kNeverSends;
    at += leg->request->pace * world_->random.Between(kMicro, 4 * kMilli);
    const int times = last && leg->quirky && request.quirk == Quirk::kSendsTwice ? 2 : 1;
    for (int i = 0; i < times && !silent; ++i) {
      world_->RunAfter(process_, at, [this, leg, begin, end, last, life = life_] {
        if (life == life_ && slots_[leg->slot.slot] == leg) SendChunk(leg, begin, end, last);
      });
    }
    begin = end;
  }
}

void Engine::SendChunk(Leg* leg, uint64_t begin, uint64_t end, bool last) {
  if (leg->terminal()) return;
  shm_abi::Send send;
  send.slot = leg->slot;
  send.token_begin = begin;
  send.token_end = end;
  send.last = last;
  const size_t first = begin / kPageTokens;
  const size_t until = begin == end ? first : (end + kPageTokens - 1) / kPageTokens;
  send.pages = {std::vector<int32_t>(leg->pages.begin() + first, leg->pages.begin() + until)};
  send.aux_row = leg->row;
  pool_->Fill(leg->request->salt, send.pages[0], begin, end);
  if (last) pool_->FillRow(leg->request->salt, leg->row);
  if (last) checker_->OnLastSent(leg);
  Push(std::move(send));
}

void Engine::Abort(Leg* leg) {
  world_->Run(process_, [this, leg] {
    if (agent_ == nullptr || leg->engine != this || leg->closed || leg->terminal()) return;
    checker_->OnAborted(leg);
    Push(shm_abi::Abort{leg->slot, "the engine has no more use for it"});
  });
}

void Engine::Push(shm_abi::Command command) {
  shared_->ring.push_back(std::move(command));
  agent_->Wake();
}

void Engine::OnPublished(uint64_t life, uint32_t slot, shm_abi::RoomWord word) {
  Leg* leg = slots_[slot];
  if (life != life_ || leg == nullptr || leg->slot.generation != word.generation) return;
  checker_->OnPublished(leg, word, shared_->causes[slot], *pool_);
  if (word.released) pool_->Release(leg->holder, word.state == RoomState::kFailed);
  if (!word.released || leg->role == Role::kPrefill) {
    if (word.state != RoomState::kDone && word.state != RoomState::kFailed) return;
  }
  world_->RunAfter(process_, world_->random.Between(kMicro, 300 * kMicro),
                   [this, life, leg] { React(life, leg); });
}

void Engine::React(uint64_t life, Leg* leg) {
  if (life != life_ || leg->closed || !leg->released) return;
  leg->closed = true;
  slots_[leg->slot.slot] = nullptr;
  pool_->Free(leg->holder);
  Push(shm_abi::Close{leg->slot});
}

}  // namespace baton::sim
