// Fences of a decode room, and what its sources are told of the parts that came before one.
#include <utility>

#include "transfer_agent/worker/target_side.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {

using room::TargetState;

void TargetSide::FenceLegs(Entry& entry) {
  for (const room::SourceLeg& leg : entry.room.legs()) leg.transport->Fence(leg.peer, leg.offer);
}

void TargetSide::AskForFences(Entry& entry) {
  for (room::SourceLeg& leg : entry.room.legs()) {
    if (leg.transport->capabilities().local_fence) continue;
    v1::Frame frame;
    frame.set_to_worker(leg.source_worker);
    v1::OfferId* id = frame.mutable_fence()->mutable_offer();
    ToProto(leg.offer, context_->index, id);
    id->set_serial(leg.serial);
    // Without an answer the transport ends the channel when its patience does.
    leg.fence_asked =
        context_->outbox->Send(leg.peer, control::Priority::kUrgent, std::move(frame)).ok();
  }
}

void TargetSide::OnFenceAnswered(PeerId peer, const v1::Fenced& fenced) {
  size_t index = 0;
  const OfferId offer = FromProto(fenced.offer());
  const uint64_t serial = fenced.offer().serial();
  Entry* entry = FindLeg(peer, offer, &index);
  if (entry != nullptr) {
    room::SourceLeg& leg = entry->room.legs()[index];
    // A source does not fence what was not asked of it.
    if (!leg.fence_asked || leg.serial != serial) return;
    leg.fence_answered = true;
    return leg.transport->FenceDrained(peer, offer);
  }
  auto late = unanswered_.find({peer, offer});
  if (late == unanswered_.end() || late->second != serial) return;
  unanswered_.erase(late);
  slots_[peer].Release(offer);
  for (transport::Transport* transport : context_->transports) {
    if (!transport->capabilities().local_fence) transport->FenceDrained(peer, offer);
  }
}

void TargetSide::OnFenced(PeerId peer, OfferId offer, TimePoint now) {
  size_t index = 0;
  Entry* entry = FindLeg(peer, offer, &index);
  legs_.erase({peer, offer});
  const room::SourceLeg* leg = entry == nullptr ? nullptr : &entry->room.legs()[index];
  auto slots = slots_.find(peer);
  if (leg != nullptr && leg->fence_asked && !leg->fence_answered && slots != slots_.end()) {
    unanswered_[{peer, offer}] = leg->serial;
  } else if (slots != slots_.end()) {
    slots->second.Release(offer);
  }
  if (entry == nullptr) return;
  entry->room.Fenced(index);
  if (entry->room.state() == TargetState::kFencing) {
    MaybeRelease(*entry, now);
  } else {
    MaybeErase(*entry, now);
  }
}

void TargetSide::TellArrived(transport::Transport* transport, const AcceptedChannel& source) {
  v1::Frame frame;
  frame.set_to_worker(source.source_worker);
  v1::ChannelRetired* retired = frame.mutable_channel_retired();
  retired->set_channel(source.number);
  retired->set_transport(std::string(transport->capabilities().name));
  for (RoomSerial serial : rooms_.Serials()) {
    const Entry* entry = rooms_.Find(serial);
    // Of rooms that have landed their sources were told already, on the same stream.
    if (entry == nullptr || entry->room.state() != TargetState::kOffered) continue;
    for (const room::SourceLeg& leg : entry->room.legs()) {
      const bool from = leg.peer == source.peer && leg.source_worker == source.source_worker;
      if (!from || leg.transport != transport || leg.parts_landed == 0) continue;
      v1::ArrivedParts* arrived = retired->add_arrived();
      ToProto(leg.offer, context_->index, arrived->mutable_offer());
      arrived->set_parts(leg.parts_landed);
    }
  }
  context_->outbox->Send(source.peer, control::Priority::kUrgent, std::move(frame)).IgnoreError();
}

}  // namespace baton::worker
