#include "tests/soak/soak.h"

#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "tests/demo/runner/control_calls.h"
#include "tests/soak/scrape.h"

namespace baton::soak {
namespace {

using chaos::Fault;
using chaos::FaultKind;
using chaos::Pod;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A sixty-fourth of the trace's tokens: half the rooms have less than 108, the longest 1 972.
constexpr double kScale = 1.0 / 64;
constexpr uint64_t kLongest = 2048;
constexpr uint64_t kPoolTokens = 32768;
constexpr size_t kRoomsOfAPair = 12;
constexpr milliseconds kRoomDeadline{20000};
constexpr milliseconds kAskPeriod{100};
// A sleep of this process that lasts so long: those under test had no turn either.
constexpr seconds kStall{1};
constexpr int kSleepMs = 2;
constexpr seconds kCatch{2};

demo::RoomDrawOptions DrawOptions(uint64_t seed) {
  demo::RoomDrawOptions options;
  options.seed = seed;
  options.room_deadline_ms = kRoomDeadline.count();
  return options;
}

Duration Since(double trace_seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(trace_seconds));
}

double RateOf(const std::vector<demo::Request>& trace) {
  uint64_t last_ms = 1;
  for (const demo::Request& request : trace) last_ms = std::max(last_ms, request.timestamp_ms);
  return trace.size() * 1000.0 / last_ms;
}

bool IsPrefill(uint32_t pod) { return pod < 2; }

}  // namespace

Soak::Soak(SoakOptions options)
    : options_(std::move(options)),
      bootstrap_address_(chaos::FreeAddress()),
      bootstrap_admin_(chaos::FreeAddress()),
      arrivals_(options_.trace, {kScale, 1, kLongest}),
      rooms_(DrawOptions(options_.seed + 2)),
      restarts_(options_.seed),
      pace_(options_.rate),
      random_(options_.seed + 1),
      bootstrap_("bootstrap", [this] { return StartBootstrap(); }),
      next_(arrivals_.Next()),
      trace_rate_(RateOf(options_.trace)) {}

absl::StatusOr<std::unique_ptr<demo::Child>> Soak::StartBootstrap() {
  return demo::Child::Start({"bootstrap",
                             {options_.programs.bootstrap, "--listen=" + bootstrap_address_,
                              "--admin_listen=" + bootstrap_admin_},
                             options_.folder + "/bootstrap.log"});
}

absl::Status Soak::Start() {
  absl::Status status = bootstrap_.Start();
  for (uint32_t i = 0; i < kPods && status.ok(); ++i) {
    admins_.push_back(chaos::FreeAddress());
    chaos::PodOptions pod;
    pod.programs = options_.programs;
    pod.folder = options_.folder;
    pod.bootstrap = bootstrap_address_;
    pod.transport = options_.transport;
    pod.number = i;
    pod.prefill = IsPrefill(i);
    pod.seed = options_.seed * 1000 + i;
    pod.preset = "gqa-few";
    pod.topology = pod.prefill ? "dp2" : "tp2,page24";
    pod.pool_tokens = kPoolTokens;
    pod.proxied = false;
    pod.agent_flags = {"--admin_listen=" + admins_.back()};
    pods_.push_back(std::make_unique<Pod>(std::move(pod)));
    status = pods_.back()->Start();
  }
  start_ = turned_ = shown_ = minute_ = Monotonic::now();
  sampler_ = std::make_unique<Sampler>(start_);
  if (status.ok()) Watch();
  return status;
}

void Soak::Watch() {
  auto pid = [](const chaos::Party& party) { return party.up() ? party.pid() : 0; };
  sampler_->Add(
      {"bootstrap", [this, pid] { return pid(bootstrap_); }, bootstrap_admin_, BootstrapSizes()});
  for (uint32_t i = 0; i < kPods; ++i) {
    const Pod* pod = pods_[i].get();
    sampler_->Add({pod->server() + " agent", [pod, pid] { return pid(pod->agent()); }, admins_[i],
                   AgentSizes()});
    sampler_->Add({pod->server() + " engine", [pod, pid] { return pid(pod->engine()); }, "", {}});
  }
}

absl::Status Soak::Run() {
  absl::Status status = Start();
  if (status.ok()) status = WarmUp();
  if (status.ok()) status = Load();
  if (status.ok()) status = CheckEnd();
  for (auto& pod : pods_) pod->End();
  bootstrap_.End();
  return status;
}

absl::Status Soak::Load() {
  const TimePoint began = Monotonic::now();
  next_restart_ = began + Since(options_.restart_every_s);
  next_sample_ = minute_ = began;
  auto ran = RunWhile(true, began + Since(options_.seconds), [this] {
    const TimePoint now = Monotonic::now();
    if (now >= next_restart_ && AllServe()) RestartOne(now);
    if (now >= next_sample_) {
      sampler_->Take(now, true);
      next_sample_ = std::max(next_sample_, now) + Since(options_.sample_every_s);
    }
    return options_.interrupts() == 0;
  });
  result_.seconds = std::chrono::duration<double>(Monotonic::now() - began).count();
  return ran.status();
}

SoakResult Soak::Result() const {
  SoakResult result = result_;
  result.rooms = ledger_.counts();
  result.violations = ledger_.violations();
  result.last_rate = pace_.rate();
  if (sampler_ != nullptr) {
    result.cpu_seconds = sampler_->cpu_seconds();
    result.series = sampler_->series();
  }
  return result;
}

bool Soak::AllServe() const {
  return bootstrap_.up() &&
         std::all_of(serves_, serves_ + kPods, [](bool serves) { return serves; });
}

size_t Soak::LiveRooms(uint32_t pod) const {
  size_t live = 0;
  for (uint32_t other = 0; other < kPods; ++other) {
    live += IsPrefill(pod) ? ledger_.open(pod, other) : ledger_.open(other, pod);
  }
  return live;
}

void Soak::RestartOne(TimePoint now) {
  if (!fault_) fault_ = restarts_.Next();
  const Fault fault = *fault_;
  // A room of it is caught in the middle, if there are any.
  const size_t live = LiveRooms(fault.pod);
  if (live == 0 && now < next_restart_ + kCatch) return;
  fault_.reset();
  next_restart_ = now + Since(options_.restart_every_s);
  ++result_.restarts[fault.kind];
  if (fault.kind == FaultKind::kKillBootstrap) return bootstrap_.Kill(now + fault.lasts);
  if (fault.kind == FaultKind::kRestartBootstrap) return bootstrap_.Drain(now + fault.lasts);
  result_.live_at_restarts += live;
  serves_[fault.pod] = false;
  pods_[fault.pod]->Suffer(fault, now);
  if (fault.kind == FaultKind::kKillServer) {
    ledger_.Gone(fault.pod);
  } else if (fault.kind == FaultKind::kDrainAgent) {
    ledger_.Draining(fault.pod, now);
  } else {
    ledger_.Disturbed(fault.pod);
  }
}

// No room goes to a server before all of its ranks say that they are registered.
void Soak::Heal(TimePoint now) {
  absl::Status alive = bootstrap_.Check();
  if (!alive.ok()) ledger_.Violation(std::string(alive.message()));
  auto healed = bootstrap_.Heal(now);
  if (!healed.ok()) ledger_.Violation(std::string(healed.status().message()));
  const bool ask = now - asked_ >= kAskPeriod;
  if (ask) asked_ = now;
  for (uint32_t i = 0; i < kPods; ++i) {
    absl::Status status = pods_[i]->Heal(now);
    if (!status.ok()) {
      ledger_.Gone(i);
      ledger_.Violation(std::string(status.message()));
    }
    if (serves_[i] || !ask || !pods_[i]->engine_ready() || !pods_[i]->agent().up()) continue;
    auto agent = demo::AgentStatus(pods_[i]->service_socket(), milliseconds(300));
    serves_[i] = agent.ok() && agent->ranks_size() == static_cast<int>(Pod::kRanks) &&
                 std::all_of(agent->ranks().begin(), agent->ranks().end(),
                             [](const auto& rank) { return rank.registered(); });
  }
}

void Soak::TakeReports() {
  for (uint32_t i = 0; i < kPods; ++i) {
    absl::Status taken = pods_[i]->TakeReports([&](const demo::v1::FromEngine& message) {
      if (message.has_room()) ledger_.Reported(i, message.room());
      if (message.has_final()) ledger_.Finished(i, message.final());
      finals_ += message.has_final();
    });
    if (!taken.ok()) ledger_.Violation(std::string(taken.message()));
  }
}

absl::Status Soak::Turn(TimePoint now, bool open_rooms) {
  if (options_.interrupts() > 1) return Error(Reason::kAborted, "interrupted");
  Heal(now);
  if (open_rooms) OpenRooms(now);
  turned_ = now;
  Await();
  TakeReports();
  ledger_.CheckOverdue(now);
  ShowProgress(now);
  return absl::OkStatus();
}

void Soak::Await() {
  std::vector<pollfd> links;
  for (const auto& pod : pods_) links.push_back({pod->link(), POLLIN, 0});
  const TimePoint asleep = Monotonic::now();
  poll(links.data(), links.size(), kSleepMs);
  if (Monotonic::now() - asleep < kStall) return;
  ++result_.stalls;
  result_.live_at_stalls += ledger_.open();
  for (uint32_t i = 0; i < kPods; ++i) ledger_.Disturbed(i);
}

void Soak::OpenRooms(TimePoint now) {
  // The trace's clock goes as fast as the rate wants.
  const double speed = pace_.rate() / trace_rate_;
  trace_clock_ += Since(std::chrono::duration<double>(now - turned_).count() * speed);
  const Duration late =
      Since(std::chrono::duration<double>(trace_clock_ - next_.at).count() / speed);
  if (pace_.Observe(late, now)) trace_clock_ = next_.at;
  while (next_.at <= trace_clock_) {
    const auto prefill = static_cast<uint32_t>(random_() % 2);
    const auto decode = static_cast<uint32_t>(2 + random_() % 2);
    bool opened = false;
    // The pair that was drawn, or the next that has room.
    for (uint32_t i = 0; i < 4 && !opened; ++i) {
      const uint32_t p = (prefill + i) % 2, d = 2 + (decode + i / 2) % 2;
      if (!serves_[p] || !serves_[d] || ledger_.open(p, d) >= kRoomsOfAPair) continue;
      OpenRoom(p, d, now);
      opened = true;
    }
    if (!opened) return;
    next_ = arrivals_.Next();
  }
}

void Soak::OpenRoom(uint32_t prefill, uint32_t decode, TimePoint now) {
  const RoomKey key{++drawn_ % 64 == 0 ? 0 : drawn_ * 0x9e3779b97f4a7c15, drawn_};
  const auto dp = static_cast<uint32_t>(random_() % Pod::kRanks);
  const demo::DrawnRoom room = rooms_.Next(next_, {key, pods_[prefill]->server(), dp, 0});
  ledger_.Opened(key, {prefill, 1}, {decode, Pod::kRanks}, true, now, now + kRoomDeadline);
  pods_[prefill]->Open(room.prefill);
  pods_[decode]->Open(room.decode);
}

void Soak::ShowProgress(TimePoint now) {
  if (now - minute_ >= seconds(60)) {
    const double took = std::chrono::duration<double>(now - minute_).count();
    result_.best_rate =
        std::max(result_.best_rate, (ledger_.counts().done - done_at_minute_) / took);
    done_at_minute_ = ledger_.counts().done;
    minute_ = now;
  }
  if (now - shown_ < seconds(20)) return;
  shown_ = now;
  const chaos::LedgerCounts& counts = ledger_.counts();
  std::printf(
      "  %4lld s  %5.0f rooms/s  rooms %llu done, %llu failed (%zu open)  stalls %llu  "
      "violations %zu\n",
      static_cast<long long>((now - start_) / seconds(1)), pace_.rate(),
      static_cast<unsigned long long>(counts.done), static_cast<unsigned long long>(counts.failed),
      ledger_.open(), static_cast<unsigned long long>(result_.stalls), ledger_.violations().size());
  std::fflush(stdout);
}

}  // namespace baton::soak
