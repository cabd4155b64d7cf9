#include "tests/demo/engine/rank_loop.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "tests/demo/engine/source_room.h"
#include "tests/demo/engine/target_room.h"

namespace baton::demo {
namespace {

// How often rooms are polled when there is nothing else to do; a real engine polls once a step. The
// decode side takes the time of landing by it, the prefill side only gets its pages back.
constexpr std::chrono::microseconds kDecodePollPeriod{200};
constexpr std::chrono::microseconds kPrefillPollPeriod{1000};
constexpr std::chrono::milliseconds kIdlePeriod{100};

}  // namespace

RankLoop::RankLoop(v1::Configure configure, RankCoord coord, Report report)
    : configure_(std::move(configure)), coord_(coord), report_(std::move(report)) {}

v1::Rank RankLoop::rank() const {
  v1::Rank rank;
  rank.set_dp(coord_.dp);
  rank.set_pp(coord_.pp);
  rank.set_cp(coord_.cp);
  rank.set_tp(coord_.tp);
  return rank;
}

void RankLoop::Open(const v1::OpenRoom& open) {
  MutexLock lock(&mu_);
  inbox_.push_back(open);
  changed_.NotifyAll();
}

void RankLoop::Finish() {
  MutexLock lock(&mu_);
  finish_ = true;
  changed_.NotifyAll();
}

void RankLoop::Stop() {
  MutexLock lock(&mu_);
  stop_ = true;
  changed_.NotifyAll();
}

absl::Status RankLoop::Attach() {
  const Preset* preset = FindPreset(configure_.preset());
  if (preset == nullptr) {
    return Error(Reason::kConfig, absl::StrCat("no preset ", configure_.preset()));
  }
  absl::StatusOr<Topology> topology = ParseTopology(configure_.topology());
  if (!topology.ok()) return topology.status();
  absl::StatusOr<planner::ServerSpec> spec = BuildSpec(*preset, *topology);
  if (!spec.ok()) return spec.status();
  const std::string name = ToString(RankRef{configure_.server(), coord_});
  auto memory = RankMemory::Create({*spec, coord_, topology->order, configure_.pool_tokens(),
                                    configure_.rooms_max(), configure_.seed(), name});
  if (!memory.ok()) return memory.status();
  memory_ = *std::move(memory);
  const bool prefill = configure_.role() == v1::ROLE_PREFILL;
  if (!prefill) canaries_.emplace(memory_.get());

  EngineOptions options;
  options.agent_socket = configure_.agent_socket();
  options.server = configure_.server();
  options.launch_id = configure_.launch_id();
  options.role = prefill ? Role::kPrefill : Role::kDecode;
  options.coord = coord_;
  options.model = preset->name;
  options.spec = *spec;
  options.layout = memory_->pool().layout();
  for (const Pool::Region& region : memory_->pool().regions()) {
    options.regions.push_back({region.name, region.fd.get(), region.size, false});
  }
  options.slots = configure_.rooms_max();
  options.ring_bytes = 1 << 20;
  options.attach_timeout = std::chrono::milliseconds(configure_.attach_timeout_ms());
  auto engine = EngineClient::Attach(std::move(options));
  if (!engine.ok()) return engine.status();
  engine_ = *std::move(engine);
  return absl::OkStatus();
}

void RankLoop::Run() {
  absl::Status attached = Attach();
  v1::FromEngine message;
  *message.mutable_attached()->mutable_rank() = rank();
  if (!attached.ok()) message.mutable_attached()->set_error(Describe(attached));
  if (memory_) message.mutable_attached()->set_pool_bytes(memory_->pool().bytes());
  report_(message);
  if (!attached.ok()) return;
  while (true) {
    {
      MutexLock lock(&mu_);
      if (stop_) return;
    }
    TakeRooms();
    bool got_on = Admit();
    got_on |= StepAll();
    got_on |= FinishIfDone();
    if (!got_on) Sleep();
  }
}

void RankLoop::TakeRooms() {
  MutexLock lock(&mu_);
  std::move(inbox_.begin(), inbox_.end(), std::back_inserter(waiting_));
  inbox_.clear();
}

bool RankLoop::Admit() {
  bool admitted = false;
  const bool prefill = configure_.role() == v1::ROLE_PREFILL;
  while (!waiting_.empty()) {
    v1::OpenRoom& open = waiting_.front();
    // One byte is enough.
    if (coord_ != RankCoord{coord_.dp, 0, 0, 0}) open.set_corrupt(false);
    auto share = memory_->Allocate(prefill ? 0 : open.prefix_tokens(), open.total_tokens());
    if (!share) break;
    if (prefill) {
      rooms_.push_back(
          std::make_unique<SourceRoom>(engine_.get(), memory_.get(), open, *std::move(share)));
    } else {
      rooms_.push_back(
          std::make_unique<TargetRoom>(engine_.get(), memory_.get(), open, *std::move(share)));
    }
    waiting_.pop_front();
    admitted = true;
  }
  return admitted;
}

bool RankLoop::StepAll() {
  bool got_on = false;
  for (auto& room : rooms_) {
    got_on |= room->Step();
    if (room->finished()) Retire(room.get());
  }
  rooms_.erase(std::remove_if(rooms_.begin(), rooms_.end(),
                              [](const auto& room) { return room->finished(); }),
               rooms_.end());
  return got_on;
}

void RankLoop::Retire(EngineRoom* room) {
  // What Baton has not let go of is lost to the pool, as it would be to a real engine.
  if (room->may_reuse_pages()) {
    if (canaries_) canaries_->Returned(room->key(), room->share(), room->content_is_known());
    memory_->Free(room->share());
  } else if (canaries_) {
    canaries_->Returned(room->key(), room->share(), false);
  }
  v1::FromEngine message;
  *message.mutable_room() = room->report();
  *message.mutable_room()->mutable_rank() = rank();
  report_(message);
}

bool RankLoop::FinishIfDone() {
  {
    MutexLock lock(&mu_);
    if (!finish_ || !inbox_.empty() || !waiting_.empty() || !rooms_.empty()) return false;
    finish_ = false;
  }
  v1::FromEngine message;
  if (canaries_) *message.mutable_final() = canaries_->Check();
  *message.mutable_final()->mutable_rank() = rank();
  report_(message);
  return true;
}

void RankLoop::Sleep() {
  const bool idle = rooms_.empty();
  auto until = std::chrono::steady_clock::now();
  if (idle) {
    until += kIdlePeriod;
  } else {
    until += canaries_ ? kDecodePollPeriod : kPrefillPollPeriod;
  }
  MutexLock lock(&mu_);
  if (inbox_.empty() && !stop_ && !(finish_ && idle)) changed_.WaitUntil(&mu_, until);
}

}  // namespace baton::demo
