// Every room that a worker's prefill ranks send: holds offers and chunks until they meet, hands the
// chunks to the transport, and tells the engine when its pages are free.
//
// Carries out what room/source_room.h decides. Runs on the worker's thread.
#ifndef BATON_TRANSFER_AGENT_WORKER_SOURCE_SIDE_H_
#define BATON_TRANSFER_AGENT_WORKER_SOURCE_SIDE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/control.pb.h"
#include "transfer_agent/room/source_room.h"
#include "transfer_agent/worker/early_fences.h"
#include "transfer_agent/worker/ended_rooms.h"
#include "transfer_agent/worker/offer_admission.h"
#include "transfer_agent/worker/room_index.h"
#include "transfer_agent/worker/room_listeners.h"
#include "transfer_agent/worker/worker_context.h"

namespace baton::worker {

class SourceSide {
 public:
  using Index = RoomIndex<room::SourceRoom>;
  using Entry = Index::Entry;

  explicit SourceSide(WorkerContext* context)
      : context_(context), listeners_(context), admission_(context, &listeners_) {}

  // --- from the engine
  void Open(HostedRank& rank, const shm_abi::OpenSend& request, TimePoint now);
  void Send(HostedRank& rank, shm_abi::Send send, TimePoint now);
  // False: the slot is not a room of this side.
  bool Abort(HostedRank& rank, const shm_abi::SlotRef& slot, const std::string& why, TimePoint now);
  bool Close(HostedRank& rank, const shm_abi::SlotRef& slot, TimePoint now);
  void EngineGone(HostedRank& rank, TimePoint now);

  // --- what the worker learns
  void OnPeerDown(PeerId peer, const absl::Status& cause, TimePoint now);
  void OnDeadline(RoomSerial serial, TimePoint now);
  // On one rank, or on all (null). Returns rooms failed.
  int AbortKey(const RoomKey& key, const HostedRank* only, const absl::Status& cause,
               TimePoint now);

  // --- from the targets
  void OnAnnounced(PeerId peer, const v1::Announced& announced, TimePoint now);
  void OnOffer(PeerId peer, const v1::Offer& offer, TimePoint now);
  void OnLanded(PeerId peer, const v1::Landed& landed, TimePoint now);
  void OnFailed(PeerId peer, const v1::Failed& failed, TimePoint now);
  void OnFence(PeerId peer, const v1::Fence& fence, TimePoint now);
  // The far end of a channel that failed has ended: its rooms go on over another.
  void OnRetired(PeerId peer, const v1::ChannelRetired& retired, TimePoint now);

  // --- from the transport
  void OnChannelUp(transport::Transport* transport, transport::ChannelId channel, TimePoint now);
  void OnChannelDown(transport::Transport* transport, transport::ChannelId channel,
                     const absl::Status& cause, TimePoint now);
  void OnSegmentDone(transport::Transport* transport, uint64_t cookie, const absl::Status& status,
                     TimePoint now);

  // Submits again what found its channel full. True when something moved.
  bool Pump(TimePoint now);

  Index& rooms() { return rooms_; }

 private:
  // Offers of one worker of one peer.
  struct OfferKey {
    PeerId peer;
    uint32_t worker = 0;
    OfferId offer;
    auto operator<=>(const OfferKey&) const = default;
  };
  struct LegRef {
    RoomSerial serial = 0;
    size_t leg = 0;
  };

  // Parts of an offer were posted to a channel that failed: they may land until its far end is
  // gone.
  struct Doubt {
    ChannelKey channel;
    std::optional<v1::OfferId> fence;  // to be answered then
  };

  // A leg made of what the offer says; a refusal otherwise.
  absl::StatusOr<room::TargetLeg> CheckOffer(HostedRank& rank, PeerId peer, const v1::Offer& offer);
  absl::Status DecodePages(const RemoteRank& target, const v1::Offer& offer, room::TargetLeg* leg);
  absl::StatusOr<transport::RemoteMemoryId> ImportMemory(
      const std::shared_ptr<const RemoteRank>& target, transport::Transport* transport);
  // `bytes`: what the offer takes if it has to be held.
  absl::StatusOr<Entry*> RoomOf(HostedRank& rank, PeerId peer, const v1::Offer& offer,
                                const room::TargetWord& word, uint64_t bytes, TimePoint now);
  Entry& Hold(HostedRank& rank, const v1::Offer& offer, TimePoint now);
  absl::Status CheckAnnounced(const HostedRank* rank, const v1::Announced& announced) const;
  // The room that a target speaks of; null: one that is still to come. How it ended, when it has.
  absl::StatusOr<Entry*> LatestUse(const HostedRank& rank, const RoomKey& key,
                                   const room::TargetWord& word, TimePoint now);
  // What a target says of a room's id, for telling uses of it apart.
  room::TargetWord WordOf(PeerId peer, const v1::OfferId& id, const v1::RankRef& target,
                          uint32_t open_ms, TimePoint now) const;
  // A failure that names no offer that is open here.
  void OnFailedByKey(HostedRank& rank, PeerId peer, const v1::Failed& failed,
                     const room::TargetWord& word, TimePoint now);
  absl::Status Join(HostedRank& rank, Entry& entry, PeerId peer, const v1::Offer& offer,
                    absl::StatusOr<room::TargetLeg> leg, TimePoint now);
  // Whether the registry hears of the rank's rooms: decode ranks that know only a room ask there
  // for its dp rank, which one rank of its group tells.
  static bool TellsRegistry(const HostedRank& rank);
  void BindRoom(const HostedRank& rank, const shm_abi::OpenSend& request);
  void Refuse(PeerId peer, const v1::Offer& offer, const absl::Status& cause);
  // The targets of a room that its engine was refused.
  void TellRefused(const HostedRank& rank, const shm_abi::OpenSend& request,
                   const absl::Status& cause, TimePoint now);

  static absl::Status CheckPages(const HostedRank& rank, const Entry& entry,
                                 const shm_abi::Send& send);
  void Matched(Entry& entry, TimePoint now);
  void PumpRoom(Entry& entry, TimePoint now);
  // False: the channel is full or not up.
  bool PumpLeg(Entry& entry, size_t leg, TimePoint now);
  absl::Status FinishLeg(Entry& entry, room::TargetLeg& leg);
  // The (peer, worker) that was handed something over a channel is told that it went down.
  void TellLost(std::pair<PeerId, uint32_t> target, transport::Transport* transport,
                transport::ChannelId channel, const absl::Status& cause);
  // At once, or when nothing of the offer is in doubt any more.
  void AnswerFence(PeerId peer, const v1::OfferId& id);
  void EndDoubts(const ChannelKey& channel);
  // Over another channel, from its first byte.
  void Restart(Entry& entry, size_t leg, TimePoint now);
  // The segment's channel failed: OnChannelDown follows, and decides.
  bool WaitsForChannel(const room::TargetLeg& leg, const absl::Status& status);
  void MaybeFinish(Entry& entry, TimePoint now);
  // `told_by`: the leg that knows already. Other ranks behind the same peer do not.
  static constexpr size_t kNobody = SIZE_MAX;
  void Fail(Entry& entry, absl::Status cause, TimePoint now, size_t told_by = kNobody);
  void MaybeStop(Entry& entry, TimePoint now);
  void MaybeErase(Entry& entry, TimePoint now);
  // Ended, though its pages may still be read, or its engine has not closed it.
  static bool IsOver(const Entry& entry);
  static room::EndedUse UseOf(Entry& entry);
  Entry* FindLeg(const OfferKey& key, size_t* leg);
  void Publish(Entry& entry, shm_abi::RoomState state, bool released);

  WorkerContext* const context_;
  Index rooms_{2};
  EndedRooms ended_;
  RoomListeners listeners_;
  OfferAdmission admission_;
  std::map<OfferKey, LegRef> legs_;
  uint64_t next_cookie_ = 1;
  absl::flat_hash_map<uint64_t, LegRef> cookies_;
  std::set<RoomSerial> stalled_;
  EarlyFences early_fences_;
  std::map<OfferKey, Doubt> doubts_;
  // By announcement; swept when its peer goes.
  std::map<std::pair<const RemoteRank*, transport::Transport*>,
           std::pair<std::shared_ptr<const RemoteRank>, transport::RemoteMemoryId>>
      imports_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_SOURCE_SIDE_H_
