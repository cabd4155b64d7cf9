#include "tests/simulation/groups/group_world.h"

#include "absl/strings/str_cat.h"

namespace baton::sim {

using group::Entry;
using group::Kind;
using group::Life;
using group::Outgoing;
using group::SeatIndex;

namespace {
constexpr int kRounds = 3000;
constexpr int kRestRounds = 20000;
constexpr uint64_t kIds = 6;
}  // namespace

GroupWorld::GroupWorld(uint64_t seed)
    : random_(Random(seed).Next()),
      n_(1 + random_.Below(5)),
      prefill_(random_.Chance(50)),
      faults_(random_.Below(4)),
      ranks_(n_),
      pipes_(n_ * n_),
      truth_(n_) {
  for (SeatIndex at = 0; at < n_; ++at) {
    ranks_[at].life = Life(++lives_);
    ranks_[at].kept = std::make_unique<group::HeldLog>(1 << 20);
    StartAgent(at);
  }
}

GroupOutcome GroupWorld::Run() {
  for (int round = 0; round < kRounds && truth_.violation().empty(); ++round) {
    Network(/*faults=*/true);
    Deliver();
    Schedule();
    Engines();
    Clock();
    if (random_.Below(1000) < faults_ * 4) Fault();
  }
  Heal();
  for (int round = 0; round < kRestRounds && truth_.violation().empty(); ++round) {
    Network(/*faults=*/false);
    Deliver();
    Engines();
    Clock();
  }
  if (truth_.violation().empty()) CheckRest();
  figures_.entries = truth_.entries();
  for (const Use& use : truth_.uses()) {
    figures_.finished += use.finished_shown;
    figures_.failed += use.failed_shown;
  }
  return {truth_.violation(), figures_};
}

// After every event: what is held is kept, what is settled is shown, what is said is sent.
void GroupWorld::Settle(SeatIndex at) {
  Rank& rank = ranks_[at];
  std::vector<Outgoing> said = rank.seat->TakeOutgoing();
  const group::HeldLog& log = rank.seat->log();
  *rank.kept = log;
  for (; rank.shown < log.end(); ++rank.shown) truth_.Show(at, rank.shown, log.at(rank.shown));
  for (Outgoing& out : said) {
    const bool connected = PipeOf(out.to, at).up && !PipeOf(at, out.to).cut;
    if (connected) PipeOf(at, out.to).queue.push_back(std::move(out.message));
  }
  const group::SeatState state = rank.seat->state();
  figures_.leaders += state == group::SeatState::kLeading && state != rank.last_state;
  rank.last_state = state;
}

void GroupWorld::Deliver() {
  for (uint64_t i = random_.Below(2 * n_); i > 0; --i) {
    const SeatIndex from = random_.Below(n_), to = random_.Below(n_);
    Pipe& pipe = PipeOf(from, to);
    if (from == to || pipe.queue.empty() || !pipe.up || !Works(to)) continue;
    group::Message message = std::move(pipe.queue.front());
    pipe.queue.pop_front();
    ranks_[to].seat->Receive(from, std::move(message));
    Settle(to);
  }
}

void GroupWorld::Network(bool faults) {
  const SeatIndex a = random_.Below(n_), b = random_.Below(n_);
  if (a == b) return;
  if (PipeOf(a, b).cut) {
    HearDown(a, b);
    HearDown(b, a);
    Mend(a, b);
  } else if (faults && random_.Below(1000) < faults_ * 3) {
    Cut(a, b);
  }
}

void GroupWorld::Cut(SeatIndex a, SeatIndex b) {
  for (Pipe* pipe : {&PipeOf(a, b), &PipeOf(b, a)}) {
    pipe->cut = true;
    pipe->queue.clear();
  }
  if (random_.Chance(50)) HearDown(a, b);
}

void GroupWorld::HearDown(SeatIndex at, SeatIndex of) {
  Pipe& pipe = PipeOf(of, at);
  if (!pipe.up || (Works(at) && random_.Chance(50)) || ranks_[at].stopped) return;
  pipe.up = false;
  if (!Works(at)) return;
  ranks_[at].seat->Down(of, now_);
  Settle(at);
}

void GroupWorld::Mend(SeatIndex a, SeatIndex b) {
  if (PipeOf(a, b).up || PipeOf(b, a).up || !Works(a) || !Works(b)) return;
  if (faults_ != 0 && random_.Chance(60)) return;
  for (Pipe* pipe : {&PipeOf(a, b), &PipeOf(b, a)}) {
    pipe->cut = false;
    pipe->up = true;
  }
  for (auto [at, of] : {std::pair(a, b), std::pair(b, a)}) {
    ranks_[at].seat->Up(of, ranks_[of].life);
    Settle(at);
  }
}

void GroupWorld::Schedule() {
  if (!random_.Chance(10)) return;
  const SeatIndex reader = random_.Below(n_);
  const Rank& rank = ranks_[reader];
  if (!rank.engine) return;
  Step step;
  step.end = rank.shown;
  if (!steps_.empty()) step.end = std::max(step.end, steps_.back().end);
  for (uint64_t i = random_.Below(3); i > 0; --i) {
    const RoomKey room{random_.Below(kIds), 0};
    const bool used = truth_.Has(room);
    // Over before the step, or it was not the schedulers' to use again.
    if (used && !(truth_.Of(room).over() && truth_.Of(room).over_at < step.end)) continue;
    truth_.Begin(room);
    step.rooms.push_back(room);
  }
  steps_.push_back(std::move(step));
}

void GroupWorld::Engines() {
  const SeatIndex at = random_.Below(n_);
  if (!ranks_[at].engine) return;
  Advance(at);
  if (Works(at)) Conclude(at);
}

void GroupWorld::Advance(SeatIndex at) {
  Rank& rank = ranks_[at];
  if (rank.next_step == steps_.size() || rank.shown < steps_[rank.next_step].end) return;
  if (!rank.seat || rank.stopped) return;
  const Step& step = steps_[rank.next_step++];
  for (; rank.applied < step.end; ++rank.applied) Apply(at, rank.kept->at(rank.applied));
  for (const RoomKey& room : step.rooms) {
    if (!rank.seat->Open(room, rank.applied)) continue;
    truth_.Of(room).opened.insert(at);
    rank.open[room] = {truth_.LatestOf(room), false};
  }
  Settle(at);
}

void GroupWorld::Apply(SeatIndex at, const Entry& entry) {
  Rank& rank = ranks_[at];
  auto it = rank.open.find(entry.room);
  if (it == rank.open.end()) return;
  if (entry.kind == Kind::kFinished || entry.kind == Kind::kReleased) rank.open.erase(it);
}

// A room that is open here comes to an end, or is released after one.
void GroupWorld::Conclude(SeatIndex at) {
  Rank& rank = ranks_[at];
  for (auto& [room, open] : rank.open) {
    if (!random_.Chance(30)) continue;
    Use& use = truth_.uses()[open.use];
    if (open.told) {
      if (use.finished.contains(at) || use.released.contains(at)) continue;
      use.released.insert(at);
      rank.seat->Tell(room, Kind::kReleased, "");
    } else if (prefill_ && random_.Chance(30)) {
      rank.seat->Tell(room, Kind::kOffered, "");
    } else if (random_.Chance(15) || use.failed_shown) {
      open.told = true;
      use.failed.insert(at);
      rank.seat->Tell(room, Kind::kFailed, "drawn");
    } else {
      open.told = true;
      use.finished.insert(at);
      rank.seat->Tell(room, Kind::kFinished, "");
    }
    Settle(at);
    return;
  }
}

void GroupWorld::Clock() {
  now_ += random_.Between(kMilli, 20 * kMilli);
  const SeatIndex at = random_.Below(n_);
  if (!Works(at)) return;
  ranks_[at].seat->Tick(now_);
  for (SeatIndex of = 0; of < n_; ++of) {
    if (of != at && !PipeOf(of, at).up) truth_.Absent(of);
  }
  Settle(at);
}

}  // namespace baton::sim
