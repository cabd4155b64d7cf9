// One room of one decode rank: which sources it hears from and what has come from each.
//
// Pure: no clock, no thread, no I/O. The target side of the worker (worker/target_side.h) feeds it
// and carries out what follows. What has landed is a set, not a count: a repeated part changes
// nothing, and nothing short of every part of every source is "all in".
#ifndef BATON_TRANSFER_AGENT_ROOM_TARGET_ROOM_H_
#define BATON_TRANSFER_AGENT_ROOM_TARGET_ROOM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/ids.h"
#include "common/shm_abi/commands.h"
#include "planner/layout.h"
#include "planner/plan.h"
#include "transfer_agent/room/target_states.h"
#include "transfer_agent/transport/transport.h"

namespace baton::room {

// What one source writes for the room.
struct SourceLeg {
  RankRef source;
  transport::PeerId peer;
  uint32_t source_worker = 0;
  transport::OfferId offer;
  transport::Transport* transport = nullptr;
  std::shared_ptr<const planner::PairPlan> plan;
  uint64_t bytes_expected = 0;
  uint64_t bytes_landed = 0;
  // False: the transport tells of parts, not of bytes; the source's Sent must name bytes_expected.
  bool counts_bytes = true;
  uint64_t parts_landed = 0;    // bit p: part p
  uint64_t parts_expected = 0;  // valid once `sent`
  bool sent = false;
  uint64_t channel = 0;  // the source's number of it; valid once `sent`, 0: not told
  bool fenced = false;
  uint64_t serial = 0;  // of the offer
  // Of the source, where a fence needs its answer.
  bool fence_asked = false;
  bool fence_answered = false;

  bool AllIn() const { return sent && parts_landed == parts_expected; }
  // All of its parts are in. Fails when they have not all the bytes, where bytes are counted.
  absl::Status CheckBytes() const;
};

class TargetRoom {
 public:
  explicit TargetRoom(shm_abi::OpenReceive request);

  const shm_abi::OpenReceive& request() const { return request_; }
  const RoomKey& key() const { return request_.room; }
  planner::RoomTokens tokens() const { return {request_.total_tokens, request_.prefix_tokens}; }
  TargetState state() const { return machine_.state(); }
  std::vector<SourceLeg>& legs() { return legs_; }
  const std::vector<SourceLeg>& legs() const { return legs_; }
  // Why it failed; OK before.
  const absl::Status& cause() const { return cause_; }
  uint64_t bytes_landed() const;

  // The bootstrap service told which dp rank has the room.
  void SetPrefillDp(uint32_t dp) { request_.prefill_dp = dp; }
  // --- announced, its pages to come
  struct Source {
    RankRef rank;
    transport::PeerId peer;
    bool complete = false;
  };
  // The sources that know of the room.
  std::vector<Source>& listens_to() { return listens_to_; }
  const std::vector<Source>& listens_to() const { return listens_to_; }
  // The number under which they know it; 0: not announced.
  uint64_t use() const { return use_; }
  void SetUse(uint64_t use) { use_ = use; }
  // That source has everything. Fails when the sources' totals differ.
  absl::Status SourceComplete(const RankRef& source, uint64_t total_tokens);
  bool sources_complete() const;
  uint64_t source_tokens() const { return source_tokens_.value_or(0); }
  // The pages. Fails when the total is not that of the sources, where they have told it.
  absl::Status Provide(shm_abi::Provide&& provide);

  // True the first time.
  bool AskForDpOnce() { return !std::exchange(dp_asked_, true); }
  // All offers are out: what the legs say is final.
  void OffersOut() { machine_.Advance(TargetEvent::kOffersOut); }

  // `part` of leg `leg` is in memory. A repeated part changes nothing. Fails when more came than
  // the plan has.
  absl::Status PartLanded(size_t leg, uint32_t part, uint64_t bytes);
  // The source has posted everything. Fails when its totals differ from ours.
  absl::Status Sent(size_t leg, uint64_t parts, uint64_t bytes, uint64_t total_tokens);
  // True once every leg is in: the caller then calls Land().
  bool AllIn() const;
  void Land() { machine_.Advance(TargetEvent::kAllIn); }

  // The first cause stays. False when the room had ended or was failing already.
  bool Fail(absl::Status cause);
  void Fenced(size_t leg) { legs_[leg].fenced = true; }
  // True in kFencing once no leg can land any more: the caller then calls Release().
  bool AllFenced() const;
  void Release() { machine_.Advance(TargetEvent::kFenced); }

 private:
  shm_abi::OpenReceive request_;
  StateMachine<TargetState, TargetEvent> machine_;
  bool dp_asked_ = false;
  std::vector<Source> listens_to_;
  uint64_t use_ = 0;
  std::optional<uint64_t> source_tokens_;
  std::vector<SourceLeg> legs_;
  absl::Status cause_;
};

}  // namespace baton::room

#endif  // BATON_TRANSFER_AGENT_ROOM_TARGET_ROOM_H_
