// One room of one prefill rank: the chunks its engine has finished and the targets that wait.
//
// Pure, as target_room.h. Offers and chunks come in either order; both are held until the other is
// there. A chunk's pages stay the room's until every segment over them is done.
#ifndef BATON_TRANSFER_AGENT_ROOM_SOURCE_ROOM_H_
#define BATON_TRANSFER_AGENT_ROOM_SOURCE_ROOM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/ids.h"
#include "common/shm_abi/commands.h"
#include "common/stable_vector.h"
#include "planner/cursor.h"
#include "planner/layout.h"
#include "planner/limits.h"
#include "planner/plan.h"
#include "transfer_agent/room/room_uses.h"
#include "transfer_agent/room/source_states.h"
#include "transfer_agent/room/target_group.h"
#include "transfer_agent/transport/chunk_order.h"
#include "transfer_agent/transport/transport.h"

namespace baton::room {

// What one target waits for.
struct TargetLeg {
  RankRef target;
  transport::PeerId peer;
  uint32_t target_worker = 0;
  transport::OfferId offer;
  transport::Transport* transport = nullptr;
  std::optional<transport::ChannelId> channel;
  transport::RemoteMemoryId remote;
  std::shared_ptr<const planner::PairPlan> plan;
  std::vector<std::vector<int32_t>> pages;
  std::vector<uint32_t> state_rows;
  planner::SidePages side;  // over the two above
  uint64_t bytes_expected = 0;
  size_t next_chunk = 0;  // first chunk not submitted
  uint64_t bytes_submitted = 0;
  uint32_t segments_in_flight = 0;
  bool sent = false;    // last chunk submitted, Sent told
  bool landed = false;  // the target has everything
  bool fence_asked = false;
  uint64_t serial = 0;  // of the offer, as its target counts them
  // The part began anew over another channel this often.
  uint8_t attempt = 0;
  bool announced = false;  // Sent was told
  // What the channel before this one failed of; OK: nothing has failed.
  absl::Status trouble;
};

// A finished chunk. Stable address: cursors borrow its spans.
struct HeldChunk {
  planner::ChunkRange range;
  std::vector<std::vector<int32_t>> pages;
  std::vector<uint32_t> state_rows;
  planner::SidePages side;

  explicit HeldChunk(shm_abi::Send&& send);
  HeldChunk(const HeldChunk&) = delete;
};

class SourceRoom {
 public:
  // Opened by the engine, or held for it because an offer came first.
  SourceRoom(RoomKey key, SourceState initial);

  const RoomKey& key() const { return key_; }
  SourceState state() const { return machine_.state(); }
  const absl::Status& cause() const { return cause_; }
  // As the engine told: by its opening, or by its last chunk.
  const std::optional<uint64_t>& total_tokens() const { return told_total_; }
  const planner::RoomTokens& tokens() const { return tokens_; }
  StableVector<TargetLeg>& legs() { return legs_; }
  const StableVector<TargetLeg>& legs() const { return legs_; }
  const StableVector<HeldChunk>& chunks() const { return chunks_; }
  uint64_t bytes_submitted() const;

  // Its engine has opened it.
  bool opened() const { return opened_; }
  // Its engine has handed the last chunk over.
  bool complete() const { return !chunks_.empty() && chunks_.back().range.last; }
  // Who of its targets has been heard of.
  RoomUses& uses() { return uses_; }
  // Whose room it is: the first that offered, or was let in to. Nullopt: nobody's yet.
  const std::optional<TargetGroup>& group() const { return group_; }
  // It is nobody's, or that group's already.
  void Claim(const TargetGroup& group) { group_ = group; }

  // The engine opened the room. Fails when the totals differ from those of an offer that was held.
  // Without a total the last chunk's end is it.
  absl::Status Opened(std::optional<uint64_t> total_tokens);
  // A target offered pages for `tokens`; `expected` are the targets of the whole room. Adds its leg
  // and returns it. Fails when totals or prefix differ from what is known, when the target is none
  // of those expected, or offers twice.
  absl::StatusOr<TargetLeg*> Offered(TargetLeg leg, const planner::RoomTokens& tokens,
                                     const std::vector<RankCoord>& expected);
  // The decode side told that this rank has nothing to send.
  absl::Status OfferedSpare(const RankRef& target, const planner::RoomTokens& tokens);

  // A chunk in order, inside the room. Fails with BAD_CHUNK, or with TOTALS_DIFFER when the target
  // expects another end.
  absl::Status CheckChunk(const shm_abi::Send& send) const;
  void AddChunk(shm_abi::Send&& send);

  // True in kMatched when the room has nothing to send at all.
  bool NothingToSend() const { return state() == SourceState::kMatched && spare_; }
  // True in kMatched once every expected target is known and has been sent everything.
  bool AllSent() const;
  // True in kSent once every target has everything.
  bool AllLanded() const;
  void Advance(SourceEvent event) { machine_.Advance(event); }

  bool Fail(absl::Status cause);
  // True in kStopping once no page is read any more.
  bool AllStopped() const;

 private:
  absl::Status CheckGroup(const RankRef& target) const;
  absl::Status CheckTotals(const planner::RoomTokens& tokens) const;
  absl::Status CheckEnd(const shm_abi::Send& send) const;
  absl::Status BadChunk(const shm_abi::Send& send, absl::string_view what) const;
  void Match();

  RoomKey key_;
  StateMachine<SourceState, SourceEvent> machine_;
  bool opened_ = false;
  bool offered_ = false;
  bool spare_ = false;
  std::optional<uint64_t> told_total_;  // by the engine
  planner::RoomTokens tokens_;  // as the targets expect; the total also when the engine told
  std::vector<RankCoord> expected_;
  StableVector<TargetLeg> legs_;
  StableVector<HeldChunk> chunks_;
  RoomUses uses_;
  std::optional<TargetGroup> group_;
  transport::ChunkOrder order_;
  absl::Status cause_;
};

}  // namespace baton::room

#endif  // BATON_TRANSFER_AGENT_ROOM_SOURCE_ROOM_H_
