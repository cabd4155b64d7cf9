// Looking at peer servers: questions go over the ring, answers stand in the table.
#include "absl/strings/str_cat.h"
#include "client/engine/attached_engine.h"
#include "common/reason.h"

namespace baton {
namespace {

PeerPhase PhaseOf(shm_abi::PeerState state) {
  switch (state) {
    case shm_abi::PeerState::kUnanswered:
      return PeerPhase::kUnanswered;
    case shm_abi::PeerState::kUnknown:
      return PeerPhase::kUnknown;
    case shm_abi::PeerState::kNotReady:
      return PeerPhase::kNotReady;
    case shm_abi::PeerState::kReady:
      return PeerPhase::kReady;
    case shm_abi::PeerState::kIncompatible:
      return PeerPhase::kIncompatible;
  }
  return PeerPhase::kUnanswered;
}

}  // namespace

absl::StatusOr<PeerHandle> AttachedEngine::WatchPeer(const std::string& server) {
  if (server.empty() || server.size() > shm_abi::kServerNameMax) {
    return Error(Reason::kBadMessage, absl::StrCat("a server name of ", server.size(),
                                                   " bytes: 1 to ", shm_abi::kServerNameMax));
  }
  MutexLock lock(&mu_);
  std::optional<shm_abi::PeerRef> ref = peers_.Take(server);
  if (!ref.has_value()) {
    return Error(Reason::kFull, absl::StrCat("no row is free: ", options_.peers,
                                             " peer servers are watched; forget some, or raise "
                                             "EngineOptions::peers"));
  }
  // Without an agent the next one is asked.
  if (attachment_.has_value()) Owe(shm_abi::WatchPeer{*ref, server});
  return PeerHandle{ref->peer, ref->generation};
}

PeerStatus AttachedEngine::LookAtPeer(PeerHandle peer) const {
  PeerStatus status;
  MutexLock lock(&mu_);
  if (!peers_.IsOpen({peer.peer, peer.generation})) return status;
  status.phase = PeerPhase::kUnanswered;
  status.why = CheckAttached();
  // An agent that is gone or stands still vouches for nothing.
  if (!status.why.ok()) return status;
  shm_abi::PeerAnswer answer = shm_abi::LoadPeer(table_.peer(peer.peer));
  if (answer.generation != peer.generation || answer.state == shm_abi::PeerState::kUnanswered) {
    status.why = Error(Reason::kNotReady, "the agent has not answered yet", rank_);
    return status;
  }
  return {PhaseOf(answer.state),    answer.draining,    answer.dp_size,
          std::move(answer.server), answer.incarnation, std::move(answer.cause)};
}

void AttachedEngine::ForgetPeer(PeerHandle peer) {
  MutexLock lock(&mu_);
  const shm_abi::PeerRef ref{peer.peer, peer.generation};
  if (!peers_.IsOpen(ref)) return;
  peers_.Close(ref.peer);
  if (attachment_.has_value()) {
    Owe(shm_abi::ForgetPeer{ref});
  } else {
    peers_.Free(ref.peer);
  }
}

}  // namespace baton
