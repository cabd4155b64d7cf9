#include "client/router/abort_calls.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::router {
namespace {

constexpr std::chrono::milliseconds kFirstRetry{50};
constexpr std::chrono::milliseconds kLastRetry{1000};
constexpr std::chrono::milliseconds kAttempt{2000};

// Aborting twice does no harm, so that whatever may pass is tried again.
bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         ReasonOf(status) == Reason::kAborted;  // cut off by this client itself
}

}  // namespace

std::set<std::string> AgentsOf(const v1::ServerRecord& server, uint32_t dp) {
  std::set<std::string> agents;
  for (const v1::RankRecord& rank : server.ranks()) {
    if (rank.coord().dp() == dp) agents.insert(rank.agent_address());
  }
  return agents;
}

absl::Status AbortCalls::Abort(const RoomKey& room, const std::set<std::string>& agents,
                               const std::string& why, TimePoint ends, Done done) {
  if (open_.size() + agents.size() > kCallsMax) {
    return Error(Reason::kFull, absl::StrCat("room ", ToString(room), ": ", open_.size(),
                                             " aborts are on their way, at most ", kCallsMax));
  }
  auto job = std::make_shared<Job>();
  job->left = std::max<size_t>(1, agents.size());
  job->done = std::move(done);
  for (const std::string& agent : agents) {
    open_.emplace(next_id_++, Open{job, agent, room, why, ends, TimePoint(), false,
                                   Backoff(kFirstRetry, kLastRetry, random_++)});
  }
  if (agents.empty()) {
    // Nobody to tell; answered by the next Step, as everything else.
    open_.emplace(next_id_++, Open{job, "", room, why, TimePoint(), TimePoint(), false,
                                   Backoff(kFirstRetry, kLastRetry, 0)});
  }
  return absl::OkStatus();
}

std::vector<AbortCalls::Call> AbortCalls::Step(TimePoint now) {
  std::vector<Call> calls;
  for (auto it = open_.begin(); it != open_.end();) {
    const auto open = it++;
    Open& call = open->second;
    if (call.out || call.due > now) continue;
    if (call.address.empty()) {
      Finish(open, absl::OkStatus());
    } else if (call.ends <= now) {
      Finish(open, Error(Reason::kDeadline,
                         absl::StrCat("agent ", call.address, " was not reached in time")));
    } else {
      call.out = true;
      const auto left = std::chrono::milliseconds(MillisLeft(call.ends, now));
      calls.push_back({open->first, call.address, call.room, call.why, std::min(left, kAttempt)});
    }
  }
  return calls;
}

void AbortCalls::OnAnswer(CallId id, const absl::Status& status, TimePoint now) {
  auto open = open_.find(id);
  if (open == open_.end()) return;
  Open& call = open->second;
  call.out = false;
  if (status.ok()) return Finish(open, status);
  const TimePoint again = now + call.backoff.Next();
  if (MayPass(status) && again < call.ends) {
    call.due = again;
    return;
  }
  Finish(open,
         Error(ReasonOf(status), absl::StrCat("agent ", call.address, ": ", status.message())));
}

void AbortCalls::Finish(std::map<CallId, Open>::iterator open, const absl::Status& status) {
  const std::shared_ptr<Job> job = open->second.job;
  open_.erase(open);
  job->status.Update(status);
  if (--job->left == 0 && job->done) job->done(job->status);
}

TimePoint AbortCalls::next(TimePoint now) const {
  TimePoint next = now + std::chrono::hours(1);
  for (const auto& [id, call] : open_) {
    if (!call.out) next = std::min(next, call.due);
  }
  return next;
}

void AbortCalls::Stop(const absl::Status& why) {
  while (!open_.empty()) Finish(open_.begin(), why);
}

}  // namespace baton::router
