#include "transfer_agent/worker/peer_watch.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "planner/plan.h"

namespace baton::worker {
namespace {

using shm_abi::PeerAnswer;
using shm_abi::PeerState;

std::vector<RankCoord> NeedsOf(const SourceFinder& finder, const HostedRank& rank,
                               const ServerView& server) {
  std::vector<RankCoord> needs;
  for (uint32_t dp = 0; dp < server.spec.sizes.dp; ++dp) {
    const std::vector<RankCoord> any = finder.AnyOf(rank, server, dp);
    needs.insert(needs.end(), any.begin(), any.end());
  }
  return needs;
}

// Of several that are missing the first is named, with their number.
class Missing {
 public:
  void Add(const absl::Status& status) {
    if (count_++ == 0) first_ = status;
  }
  absl::Status Result(size_t of) const {
    if (count_ <= 1) return first_;
    return Error(ReasonOf(first_),
                 absl::StrCat(first_.message(), "; ", count_, " of ", of, " ranks are missing"),
                 *RankOf(first_));
  }

 private:
  size_t count_ = 0;
  absl::Status first_;
};

PeerState StateOf(const absl::Status& status) {
  if (status.ok()) return PeerState::kReady;
  return absl::IsUnavailable(status) ? PeerState::kNotReady : PeerState::kIncompatible;
}

}  // namespace

void PeerWatch::Watch(const HostedRank& rank, const shm_abi::WatchPeer& watch) {
  const Key key{rank.attached->id, watch.peer.peer};
  Question& question = questions_[key];
  question = Question{watch.server, {}, {}, {}};
  question.answer.generation = watch.peer.generation;
  Answer(key, question);
}

void PeerWatch::Forget(const HostedRank& rank, const shm_abi::ForgetPeer& forget) {
  auto it = questions_.find({rank.attached->id, forget.peer.peer});
  // Of a question that was never heard of, or asked anew since, nothing is known.
  if (it == questions_.end() || it->second.answer.generation != forget.peer.generation) return;
  questions_.erase(it);
}

void PeerWatch::EngineGone(const HostedRank& rank) {
  std::erase_if(questions_, [&](const auto& q) { return q.first.first == rank.attached->id; });
}

void PeerWatch::OnServer(const ServerView& server) {
  for (auto& [key, question] : questions_) {
    const bool by_alias = std::find(server.aliases.begin(), server.aliases.end(), question.asked) !=
                          server.aliases.end();
    const bool was_it = question.answer.server == server.name;
    if (by_alias || was_it || question.asked == server.name) Answer(key, question);
  }
}

void PeerWatch::OnServerRemoved(const std::string& name) {
  for (auto& [key, question] : questions_) {
    if (question.answer.server == name) Answer(key, question);
  }
}

void PeerWatch::OnRemoteRanks() {
  for (auto& [key, question] : questions_) Answer(key, question);
}

void PeerWatch::OnHostedRank(const HostedRank& rank) {
  for (auto& [key, question] : questions_) {
    if (key.first == rank.attached->id) Answer(key, question);
  }
}

void PeerWatch::Answer(const Key& key, Question& question) {
  HostedRank* rank = context_->FindRank(key.first);
  if (rank == nullptr || rank->leaving) return;
  PeerAnswer answer = Look(*rank, question);
  if (answer == question.answer) return;
  question.answer = answer;
  rank->attached->table->PublishPeer(key.second, answer);
}

PeerAnswer PeerWatch::Look(const HostedRank& rank, Question& question) {
  PeerAnswer answer;
  answer.generation = question.answer.generation;
  const auto server = context_->servers.Find(question.asked);
  if (server == nullptr) {
    answer.state = PeerState::kUnknown;
    answer.cause =
        Error(Reason::kUnknownServer, absl::StrCat("no server is registered as ", question.asked));
    return answer;
  }
  answer.server = server->name;
  answer.incarnation = server->incarnation;
  answer.dp_size = server->spec.sizes.dp;
  answer.draining = server->draining;
  if (rank.attached->role == Role::kDecode) {
    answer.cause = finder_->CheckServer(rank, server, 0);
    if (answer.cause.ok()) answer.cause = LookAtSources(rank, *server, question);
  } else {
    answer.cause = LookAtTargets(rank, *server);
  }
  answer.state = StateOf(answer.cause);
  if (answer.cause.ok() && !rank.accepting) {
    answer.state = PeerState::kNotReady;
    answer.cause = rank.MayOpen() ? Error(Reason::kNotReady,
                                          "this rank itself is not registered yet", rank.ref())
                                  : rank.not_accepting;
  }
  return answer;
}

absl::Status PeerWatch::LookAtSources(const HostedRank& rank, const ServerView& server,
                                      Question& question) const {
  if (question.needs_of != server.incarnation || question.needs.empty()) {
    question.needs = NeedsOf(*finder_, rank, server);
    question.needs_of = server.incarnation;
  }
  Missing missing;
  // A transport in common that is lacking goes before all that may yet come.
  for (const RankCoord& coord : question.needs) {
    auto source = finder_->Find(server, coord);
    if (!source.ok()) {
      finder_->Dial(server, coord);
      missing.Add(source.status());
    } else if (auto common = CommonTransport(*context_, rank, **source); !common.ok()) {
      return common.status();
    }
  }
  return missing.Result(question.needs.size());
}

absl::Status PeerWatch::LookAtTargets(const HostedRank& rank, const ServerView& server) const {
  if (server.role != Role::kDecode) {
    return Error(Reason::kUnknownServer, absl::StrCat(server.name, " is a prefill server"));
  }
  absl::Status fits = CheckPair(server, *rank.attached);
  if (!fits.ok()) return fits;
  const RankCoord& s = server.spec.sizes;
  const uint64_t ranks = uint64_t{s.dp} * s.pp * s.cp * s.tp;
  if (server.addresses.size() >= ranks) return absl::OkStatus();
  return Error(Reason::kNotReady, absl::StrCat("only ", server.addresses.size(), " of ", ranks,
                                               " ranks of ", server.name, " are registered"));
}

}  // namespace baton::worker
