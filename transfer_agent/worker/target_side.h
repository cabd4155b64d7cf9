// Every room that a worker's decode ranks receive: looks the sources up, offers them the pages, and
// tells the engine when everything has landed or nothing can land any more.
//
// Carries out what room/target_room.h decides. Runs on the worker's thread.
#ifndef BATON_TRANSFER_AGENT_WORKER_TARGET_SIDE_H_
#define BATON_TRANSFER_AGENT_WORKER_TARGET_SIDE_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "baton/v1/control.pb.h"
#include "transfer_agent/room/offer_slots.h"
#include "transfer_agent/room/target_room.h"
#include "transfer_agent/worker/room_index.h"
#include "transfer_agent/worker/source_finder.h"
#include "transfer_agent/worker/untold_failures.h"
#include "transfer_agent/worker/worker_context.h"

namespace baton::worker {

class TargetSide {
 public:
  using Index = RoomIndex<room::TargetRoom>;
  using Entry = Index::Entry;

  TargetSide(WorkerContext* context, SourceFinder* finder)
      : context_(context), finder_(finder), untold_(context) {}

  // --- from the engine
  void Open(HostedRank& rank, shm_abi::OpenReceive request, TimePoint now);
  bool Provide(HostedRank& rank, shm_abi::Provide provide, TimePoint now);
  // False: the slot is not a room of this side.
  bool Abort(HostedRank& rank, const shm_abi::SlotRef& slot, const std::string& why, TimePoint now);
  bool Close(HostedRank& rank, const shm_abi::SlotRef& slot, TimePoint now);
  void EngineGone(HostedRank& rank, TimePoint now);

  // --- what the worker learns
  void OnServer(const ServerView& server, TimePoint now);
  void OnRemoteRanks(TimePoint now);
  void OnLookup(RoomSerial serial, const absl::StatusOr<uint32_t>& dp, TimePoint now);
  void OnPeerDown(PeerId peer, const absl::Status& cause, TimePoint now);
  void OnDeadline(RoomSerial serial, TimePoint now);
  // On one rank, or on all (null). Returns rooms failed.
  int AbortKey(const RoomKey& key, const HostedRank* only, const absl::Status& cause,
               TimePoint now);

  // --- from the sources
  void OnRefused(PeerId peer, const v1::Refused& refused, TimePoint now);
  void OnSent(PeerId peer, const v1::Sent& sent, TimePoint now);
  void OnFailed(PeerId peer, const v1::Failed& failed, TimePoint now);
  void OnSourceState(PeerId peer, const v1::SourceState& state, TimePoint now);

  // It has stopped posting, and nothing of the offer is under way.
  void OnFenceAnswered(PeerId peer, const v1::Fenced& fenced);
  // A channel of that source has ended here: which parts had come over it.
  void TellArrived(transport::Transport* transport, const AcceptedChannel& source);

  // --- from the transport
  void OnPart(PeerId peer, OfferId offer, uint32_t part, uint64_t bytes, TimePoint now);
  void OnWindowBroken(PeerId peer, OfferId offer, const absl::Status& cause, TimePoint now);
  // Its last event: parts that have not come over it will not.
  void OnChannelDown(const AcceptedChannel& channel, const absl::Status& cause, TimePoint now);
  void OnFenced(PeerId peer, OfferId offer, TimePoint now);

  Index& rooms() { return rooms_; }

 private:
  struct LegRef {
    RoomSerial serial = 0;
    size_t leg = 0;
  };

  absl::Status CheckRequest(const HostedRank& rank, const shm_abi::OpenReceive& request);
  absl::Status CheckPages(const HostedRank& rank, const shm_abi::OpenReceive& request) const;
  // Tells the sources of a room that it waits, once all of them are known.
  void AnnounceRoom(const HostedRank& rank, Entry& entry, const ServerView& server, TimePoint now);
  void RetryLooking(const std::string& server, TimePoint now);
  // Offers the pages if all sources are known; else the room goes on looking.
  void TryOffer(Entry& entry, TimePoint now);
  void StopLooking(const Entry& entry);
  // Asks which dp rank has the room, once the server's name is known.
  void AskForDp(Entry& entry, const ServerView& server, TimePoint now);
  // Nullopt: some are not announced yet (they are dialled).
  absl::StatusOr<std::optional<Sources>> FindSources(const HostedRank& rank, const Entry& entry,
                                                     const ServerView& server);
  absl::Status MakeOffers(HostedRank& rank, Entry& entry, const Sources& sources, TimePoint now);
  absl::Status AddLeg(HostedRank& rank, Entry& entry, const RemoteRank& source,
                      std::shared_ptr<const planner::PairPlan> plan,
                      transport::Transport* transport);
  absl::Status SendOffer(const HostedRank& rank, const Entry& entry, const RemoteRank& source,
                         const room::SourceLeg* leg, TimePoint now);

  std::string WhatIsMissing(const Entry& entry) const;
  void MaybeLand(Entry& entry, TimePoint now);
  void FailByChannel(Entry& entry, const room::SourceLeg& leg, absl::string_view why,
                     TimePoint now);
  // `told_by`: the leg that knows already. Other ranks behind the same peer do not.
  static constexpr size_t kNobody = SIZE_MAX;
  void Fail(Entry& entry, absl::Status cause, TimePoint now, size_t told_by = kNobody);
  // Before any offer: the sources learn why none will come, those that are not known yet once they
  // are.
  void TellSources(const HostedRank& rank, const shm_abi::OpenReceive& request,
                   const absl::Status& cause, TimePoint opened, TimePoint deadline, uint64_t use,
                   TimePoint now);
  void FenceLegs(Entry& entry);
  // Where a fence needs the source's answer.
  void AskForFences(Entry& entry);
  void MaybeRelease(Entry& entry, TimePoint now);
  void MaybeErase(Entry& entry, TimePoint now);
  Entry* FindLeg(PeerId peer, OfferId offer, size_t* leg);
  void Publish(Entry& entry, shm_abi::RoomState state, bool released);

  WorkerContext* const context_;
  SourceFinder* const finder_;
  Index rooms_{1};
  UntoldFailures untold_;
  std::map<std::string, std::set<RoomSerial>> looking_;  // by prefill server, as it was named
  absl::flat_hash_map<std::pair<PeerId, OfferId>, LegRef> legs_;
  std::map<PeerId, room::OfferSlots> slots_;
  uint64_t last_serial_ = 0;                             // of what sources are told of rooms
  absl::flat_hash_map<uint64_t, RoomSerial> announced_;  // by the number that sources know
  // Serials of offers that were fenced without their source's answer. Until it comes their slots
  // are not used again, so that it cannot be taken for another offer's.
  std::map<std::pair<PeerId, OfferId>, uint64_t> unanswered_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_TARGET_SIDE_H_
