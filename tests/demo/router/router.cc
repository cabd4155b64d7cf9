#include "tests/demo/router/router.h"

#include <poll.h>

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "tests/demo/link/packet.h"

namespace baton::demo {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kProgressPeriod{1000};
constexpr milliseconds kFinalReportTimeout{20000};

double Seconds(steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

Router::Router(Pick pick, std::vector<EngineLink> links, Arrivals arrivals, RunOptions options,
               OnProgress on_progress, Guard guard)
    : pick_(std::move(pick)),
      links_(std::move(links)),
      arrivals_(std::move(arrivals)),
      options_(std::move(options)),
      on_progress_(std::move(on_progress)),
      guard_(std::move(guard)),
      draw_(options_.draw) {}

RunResult Router::Run() {
  start_ = shown_ = steady_clock::now();
  next_ = arrivals_.Next();
  const Time drained = start_ + options_.duration + options_.drain;
  while (broken_.ok()) {
    const Time now = steady_clock::now();
    OpenRooms(now);
    if (tally_.rooms_open() == 0 && !MayOpen(now)) break;
    if (now > drained) {
      tally_.GiveUp("still open long after the last one was opened");
      break;
    }
    absl::Status taken = TakeReports();
    if (broken_.ok()) broken_ = taken;
    ShowProgress(steady_clock::now());
  }
  const double wall = Seconds(steady_clock::now() - start_);
  if (broken_.ok() && tally_.result().failed == 0) CollectFinalReports();
  if (!broken_.ok()) {
    tally_.AddFault(std::string(broken_.message()));
    tally_.GiveUp("the run has ended");
  }
  return tally_.Close(wall);
}

bool Router::MayOpen(Time now) const {
  return now < start_ + options_.duration && opened_ < options_.rooms_max && tally_.result().ok();
}

void Router::OpenRooms(Time now) {
  while (broken_.ok() && MayOpen(now) && now >= start_ + next_.at &&
         tally_.rooms_open() < options_.rooms_in_flight_max &&
         (tally_.rooms_open() == 0 ||
          tally_.tokens_open() + next_.total_tokens <= options_.tokens_in_flight_max)) {
    absl::StatusOr<PickedRoute> route = pick_();
    if (!route.ok()) {
      broken_ = route.status();
      return;
    }
    OpenRoom(*route);
    next_ = arrivals_.Next();
  }
}

void Router::OpenRoom(const PickedRoute& route) {
  const uint32_t prefill_ranks = RanksOf(route.prefill, route.prefill_dp);
  const uint32_t decode_ranks = RanksOf(route.decode, route.decode_dp);
  if (prefill_ranks == 0 || decode_ranks == 0) {
    broken_ = Error(
        Reason::kUnknownServer,
        absl::StrCat("the router picked ", route.prefill, " dp", route.prefill_dp, " and ",
                     route.decode, " dp", route.decode_dp, ", which are not both of this run"));
    return;
  }
  const DrawnRoom room =
      draw_.Next(next_, {route.room, route.prefill, route.prefill_dp, route.decode_dp});
  tally_.Opened(route.room, next_.total_tokens, prefill_ranks + decode_ranks);
  v1::ToEngine to_prefill, to_decode;
  *to_prefill.mutable_open() = room.prefill;
  *to_decode.mutable_open() = room.decode;
  // Either leg may be first on the way.
  const bool prefill_first = ++opened_ % 2 == 0;
  if (prefill_first) Send(route.prefill, to_prefill);
  Send(route.decode, to_decode);
  if (!prefill_first) Send(route.prefill, to_prefill);
}

uint32_t Router::RanksOf(const std::string& server, uint32_t dp) const {
  uint32_t ranks = 0;
  for (const EngineLink& link : links_) {
    if (link.server != server) continue;
    for (const RankCoord& rank : link.ranks) ranks += rank.dp == dp;
  }
  return ranks;
}

void Router::Send(const std::string& server, const v1::ToEngine& message) {
  for (const EngineLink& link : links_) {
    if (link.server != server || !broken_.ok()) continue;
    absl::Status sent = SendPacket(link.fd, message);
    if (!sent.ok()) {
      broken_ = Error(Reason::kEngineLost, absl::StrCat(link.name, ": ", sent.message()));
    }
  }
}

absl::Status Router::TakeReports() {
  std::vector<pollfd> polls;
  for (const EngineLink& link : links_) polls.push_back({link.fd, POLLIN, 0});
  poll(polls.data(), polls.size(), 5);
  for (size_t i = 0; i < polls.size(); ++i) {
    if (polls[i].revents == 0) continue;
    absl::Status taken = TakeFrom(links_[i]);
    if (!taken.ok()) return taken;
  }
  return guard_();
}

absl::Status Router::TakeFrom(const EngineLink& link) {
  while (true) {
    v1::FromEngine message;
    absl::StatusOr<Received> received = ReceivePacket(link.fd, false, &message);
    if (!received.ok()) return received.status();
    if (*received == Received::kNothing) return absl::OkStatus();
    if (*received == Received::kClosed) {
      absl::Status cause = guard_();
      return cause.ok() ? Error(Reason::kEngineLost, absl::StrCat(link.name, " has ended")) : cause;
    }
    if (message.has_room()) {
      tally_.Reported(message.room(), link.server);
    } else if (message.has_final()) {
      ++final_reports_;
      tally_.Finished(message.final(), link.server);
    }
  }
}

void Router::CollectFinalReports() {
  v1::ToEngine message;
  message.mutable_finish();
  std::set<std::string> servers;
  for (const EngineLink& link : links_) servers.insert(link.server);
  for (const std::string& server : servers) Send(server, message);
  uint32_t ranks = 0;
  for (const EngineLink& link : links_) ranks += link.ranks.size();
  const Time deadline = steady_clock::now() + kFinalReportTimeout;
  while (broken_.ok() && final_reports_ < ranks) {
    if (steady_clock::now() > deadline) {
      broken_ = Error(Reason::kDeadline,
                      absl::StrCat(ranks - final_reports_, " ranks gave no final report"));
      return;
    }
    broken_ = TakeReports();
  }
}

void Router::ShowProgress(Time now) {
  if (now - shown_ < kProgressPeriod) return;
  Progress progress;
  progress.seconds = Seconds(now - start_);
  progress.in_flight = tally_.rooms_open();
  progress.so_far = &tally_.result();
  progress.gigabytes_per_second =
      (tally_.result().bytes - bytes_shown_) / Seconds(now - shown_) / 1e9;
  bytes_shown_ = tally_.result().bytes;
  shown_ = now;
  on_progress_(progress);
}

}  // namespace baton::demo
