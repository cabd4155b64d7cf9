#include "transfer_agent/worker/room_listeners.h"

#include "absl/strings/str_cat.h"
#include "client/rpc/error_detail.h"
#include "common/reason.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {

absl::Status RoomListeners::Add(AttachmentId rank, const RoomKey& key, Listener listener,
                                TimePoint now) {
  Remove(rank, key, listener.word.voice);
  if (!shares_.MayTake(listener.peer, 1)) Sweep(now);
  if (!shares_.MayTake(listener.peer, 1)) {
    return Error(Reason::kFull,
                 absl::StrCat("the source's agent keeps no more announced rooms of this target's: ",
                              shares_.Of(listener.peer), " of ", shares_.used(),
                              " wait here for their source"));
  }
  shares_.Take(listener.peer, 1);
  listeners_[{rank, key}].push_back(std::move(listener));
  return absl::OkStatus();
}

template <typename Ended>
void RoomListeners::Drop(std::vector<Listener>* of, const Ended& ended) {
  std::erase_if(*of, [&](const Listener& l) {
    const bool gone = ended(l);
    if (gone) shares_.Give(l.peer, 1);
    return gone;
  });
}

void RoomListeners::Sweep(TimePoint now) {
  for (auto it = listeners_.begin(); it != listeners_.end();) {
    Drop(&it->second, [now](const Listener& l) { return l.until <= now; });
    it = it->second.empty() ? listeners_.erase(it) : std::next(it);
  }
}

void RoomListeners::Remove(AttachmentId rank, const RoomKey& key, const room::TargetVoice& voice) {
  auto it = listeners_.find({rank, key});
  if (it == listeners_.end()) return;
  Drop(&it->second, [&](const Listener& l) { return l.word.voice == voice; });
  if (it->second.empty()) listeners_.erase(it);
}

void RoomListeners::ForgetPeer(PeerId peer) {
  for (auto it = listeners_.begin(); it != listeners_.end();) {
    Drop(&it->second, [peer](const Listener& l) { return l.peer == peer; });
    it = it->second.empty() ? listeners_.erase(it) : std::next(it);
  }
}

std::optional<room::TargetGroup> RoomListeners::FirstGroup(AttachmentId rank, const RoomKey& key,
                                                           TimePoint now) const {
  auto it = listeners_.find({rank, key});
  if (it == listeners_.end()) return std::nullopt;
  for (const Listener& listener : it->second) {
    if (listener.until > now) return room::GroupOf(listener.word.voice.target);
  }
  return std::nullopt;
}

void RoomListeners::NoteIn(AttachmentId rank, const RoomKey& key, room::RoomUses* uses) const {
  auto it = listeners_.find({rank, key});
  if (it == listeners_.end()) return;
  for (const Listener& listener : it->second) uses->Note(listener.word);
}

void RoomListeners::TellComplete(AttachmentId rank, const RoomKey& key, uint64_t total_tokens) {
  auto it = listeners_.find({rank, key});
  if (it == listeners_.end()) return;
  // They go on listening: a room that is complete may fail still.
  for (const Listener& l : it->second) Tell(l, absl::OkStatus(), total_tokens);
}

void RoomListeners::TellFailed(AttachmentId rank, const RoomKey& key, const absl::Status& cause) {
  auto it = listeners_.find({rank, key});
  if (it == listeners_.end()) return;
  const std::vector<Listener> told = std::move(it->second);
  for (const Listener& l : told) shares_.Give(l.peer, 1);
  listeners_.erase(it);
  for (const Listener& l : told) Tell(l, cause);
}

void RoomListeners::TellAllFailed(AttachmentId rank, const absl::Status& cause) {
  std::vector<RoomKey> keys;
  for (const auto& [key, all] : listeners_) {
    if (key.first == rank) keys.push_back(key.second);
  }
  for (const RoomKey& key : keys) TellFailed(rank, key, cause);
}

void RoomListeners::Tell(const Listener& listener, const absl::Status& cause,
                         uint64_t total_tokens) const {
  const room::TargetVoice& voice = listener.word.voice;
  v1::Frame frame;
  frame.set_to_worker(voice.worker);
  v1::SourceState* state = frame.mutable_source_state();
  state->mutable_offer()->set_worker(voice.worker);
  state->mutable_offer()->set_serial(listener.word.serial);
  ToProto(listener.source, state->mutable_source());
  if (cause.ok()) {
    state->set_complete(true);
    state->set_total_tokens(total_tokens);
  } else {
    *state->mutable_cause() = ToDetail(cause);
  }
  context_->outbox->Send(listener.peer, control::Priority::kUrgent, std::move(frame)).IgnoreError();
}

}  // namespace baton::worker
