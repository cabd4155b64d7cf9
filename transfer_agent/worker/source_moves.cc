// Channels of a prefill room as they come up and fail: a room goes on over another channel, from
// the first byte of its part, once the target has ended its end of the one that failed. And fences,
// whose answer waits for the same. docs/design/verbs.md has the reasons.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/transport/segment_end.h"
#include "transfer_agent/worker/source_side.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {

using room::SourceState;
using transport::SegmentEnd;

namespace {

// A part begins anew this often.
constexpr uint8_t kAttemptsMax = 4;

absl::Status ChannelFailed(const room::TargetLeg& leg, const absl::Status& cause) {
  return Error(Reason::kTransport,
               absl::StrCat(leg.transport->capabilities().name, " channel: ", cause.message()),
               leg.target);
}

// SETTLING: the target waits for the answer to a fence, which is on its way to it.
bool MayTryAgain(const absl::Status& cause) {
  const Reason reason = ReasonOf(cause);
  return reason == Reason::kTransport || reason == Reason::kPeerLost || reason == Reason::kSettling;
}

}  // namespace

void SourceSide::OnChannelUp(transport::Transport* transport, transport::ChannelId channel,
                             TimePoint now) {
  for (RoomSerial serial : rooms_.Serials()) {
    Entry* entry = rooms_.Find(serial);
    if (entry == nullptr || !IsActive(entry->room.state())) continue;
    for (const room::TargetLeg& leg : entry->room.legs()) {
      if (leg.transport != transport || leg.channel != channel) continue;
      PumpRoom(*entry, now);
      break;
    }
  }
}

bool SourceSide::WaitsForChannel(const room::TargetLeg& leg, const absl::Status& status) {
  const SegmentEnd end = transport::EndOf(status);
  if (end == SegmentEnd::kKnown) return false;
  // Of a peer that is gone for good nobody asks any more.
  if (end == SegmentEnd::kDoubt && context_->peers.contains(leg.peer)) {
    doubts_[{leg.peer, leg.target_worker, leg.offer}] = {{leg.transport, *leg.channel}, {}};
  }
  const Reason reason = ReasonOf(status);
  return reason == Reason::kTransport || reason == Reason::kPeerLost;
}

void SourceSide::OnChannelDown(transport::Transport* transport, transport::ChannelId channel,
                               const absl::Status& cause, TimePoint now) {
  const bool retiring = context_->channels.IsRetiring(transport, channel);
  std::optional<std::pair<PeerId, uint32_t>> judge;
  for (RoomSerial serial : rooms_.Serials()) {
    for (size_t i = 0;; ++i) {
      Entry* entry = rooms_.Find(serial);
      if (entry == nullptr || i >= entry->room.legs().size()) break;
      room::TargetLeg& leg = entry->room.legs()[i];
      if (leg.transport != transport || leg.channel != channel || leg.landed) continue;
      leg.trouble = cause;
      // OnRetired goes on with it.
      if (retiring) continue;
      const bool begun = leg.sent || leg.bytes_submitted > 0;
      // What was handed over whole is the target's to judge.
      if (!transport->capabilities().retires && leg.sent && leg.segments_in_flight == 0) {
        judge = {leg.peer, leg.target_worker};
        continue;
      }
      // It was never up: nothing of the leg is under way over it.
      if (transport->capabilities().retires && !begun && MayTryAgain(cause)) {
        Restart(*entry, i, now);
        continue;
      }
      Fail(*entry, ChannelFailed(leg, cause), now);
      break;
    }
  }
  if (judge.has_value()) TellLost(*judge, transport, channel, cause);
}

void SourceSide::OnRetired(PeerId peer, const v1::ChannelRetired& retired, TimePoint now) {
  const auto channel = context_->channels.OnRetired(peer, retired);
  if (!channel.has_value()) return;
  EndDoubts(*channel);
  std::map<OfferKey, uint64_t> arrived;
  for (const v1::ArrivedParts& parts : retired.arrived()) {
    arrived[{peer, parts.offer().worker(), FromProto(parts.offer())}] = parts.parts();
  }
  for (RoomSerial serial : rooms_.Serials()) {
    for (size_t i = 0;; ++i) {
      Entry* entry = rooms_.Find(serial);
      if (entry == nullptr || i >= entry->room.legs().size()) break;
      const room::TargetLeg& leg = entry->room.legs()[i];
      if (leg.transport != channel->transport || leg.channel != channel->id || leg.landed ||
          IsTerminal(entry->room.state()) || entry->room.state() == SourceState::kStopping) {
        continue;
      }
      // A leg is one part. Whole at the target: it lands by what was told.
      const auto parts = arrived.find({peer, leg.target_worker, leg.offer});
      if (leg.sent && parts != arrived.end() && (parts->second & 1) != 0) continue;
      Restart(*entry, i, now);
    }
  }
}

void SourceSide::Restart(Entry& entry, size_t index, TimePoint now) {
  room::TargetLeg& leg = entry.room.legs()[index];
  if (++leg.attempt > kAttemptsMax) {
    return Fail(
        entry,
        Error(Reason::kTransport,
              absl::StrCat("given up after ", kAttemptsMax, " other channels; the last ",
                           leg.transport->capabilities().name, " channel: ", leg.trouble.message()),
              leg.target),
        now);
  }
  auto channel = context_->channels.Get(leg.peer, leg.target_worker, leg.transport, now);
  if (!channel.ok()) {
    return Fail(
        entry,
        Error(Reason::kTransport,
              absl::StrCat(leg.transport->capabilities().name, " channel: ", leg.trouble.message(),
                           "; and no other: ", channel.status().message()),
              leg.target),
        now);
  }
  LOG(WARNING) << "room " << ToString(entry.room.key()) << " to " << ToString(leg.target)
               << " goes on over another channel after " << leg.bytes_submitted
               << " bytes: " << leg.trouble;
  leg.channel = *channel;
  leg.sent = false;
  leg.next_chunk = 0;
  leg.bytes_submitted = 0;
  if (IsActive(entry.room.state())) PumpRoom(entry, now);
}

void SourceSide::OnFence(PeerId peer, const v1::Fence& fence, TimePoint now) {
  size_t index = 0;
  const v1::OfferId& id = fence.offer();
  Entry* entry = FindLeg({peer, id.worker(), FromProto(id)}, &index);
  if (entry == nullptr || entry->room.legs()[index].serial != id.serial()) {
    early_fences_.Add(peer, id.worker(), id.serial());
    return AnswerFence(peer, id);
  }
  const bool in_flight = entry->room.legs()[index].segments_in_flight > 0;
  entry->room.legs()[index].fence_asked = in_flight;  // answered when the last segment is done
  if (!IsTerminal(entry->room.state())) {
    Fail(*entry, Error(Reason::kAborted, "the target fenced the room"), now, index);
  }
  if (!in_flight) AnswerFence(peer, id);
}

void SourceSide::AnswerFence(PeerId peer, const v1::OfferId& id) {
  auto doubt = doubts_.find({peer, id.worker(), FromProto(id)});
  if (doubt != doubts_.end()) {
    doubt->second.fence = id;
    return;
  }
  v1::Frame frame;
  frame.set_to_worker(id.worker());
  *frame.mutable_fenced()->mutable_offer() = id;
  context_->outbox->Send(peer, control::Priority::kUrgent, std::move(frame)).IgnoreError();
}

void SourceSide::EndDoubts(const ChannelKey& channel) {
  for (auto it = doubts_.begin(); it != doubts_.end();) {
    if (it->second.channel != channel) {
      ++it;
      continue;
    }
    const PeerId peer = it->first.peer;
    const std::optional<v1::OfferId> fence = std::move(it->second.fence);
    it = doubts_.erase(it);
    if (fence.has_value()) AnswerFence(peer, *fence);
  }
}

}  // namespace baton::worker
