#include "transfer_agent/room/source_room.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::room {

namespace {

planner::ChunkRange RangeOf(const shm_abi::Send& send) {
  return {send.token_begin, send.token_end, send.layer_begin,
          send.layer_end,   send.last,      send.page_groups};
}

}  // namespace

HeldChunk::HeldChunk(shm_abi::Send&& send)
    : range(RangeOf(send)), pages(std::move(send.pages)), state_rows(std::move(send.state_rows)) {
  side.first_token = range.token_begin;
  for (const auto& list : pages) side.pages.push_back(list);
  side.state_rows = state_rows;
  side.aux_row = send.aux_row;
}

SourceRoom::SourceRoom(RoomKey key, SourceState initial)
    : key_(key), machine_("source_room", absl::MakeConstSpan(kSourceRows), initial) {}

uint64_t SourceRoom::bytes_submitted() const {
  uint64_t bytes = 0;
  for (const TargetLeg& leg : legs_) bytes += leg.bytes_submitted;
  return bytes;
}

absl::Status SourceRoom::Opened(std::optional<uint64_t> total_tokens) {
  opened_ = true;
  told_total_ = total_tokens;
  if (offered_ && total_tokens.has_value() && *total_tokens != tokens_.total) {
    return Error(Reason::kTotalsDiffer,
                 absl::StrCat("OpenSend says ", *total_tokens, " tokens, the target expects ",
                              tokens_.total));
  }
  if (total_tokens.has_value()) tokens_.total = *total_tokens;
  if (machine_.state() == SourceState::kHeld) machine_.Advance(SourceEvent::kOpen);
  return absl::OkStatus();
}

absl::Status SourceRoom::CheckTotals(const planner::RoomTokens& tokens) const {
  if ((told_total_.has_value() || offered_) && tokens.total != tokens_.total) {
    return Error(Reason::kTotalsDiffer, absl::StrCat("the target expects ", tokens.total,
                                                     " tokens, the source has ", tokens_.total));
  }
  if (offered_ && tokens.prefix != tokens_.prefix) {
    return Error(Reason::kTotalsDiffer,
                 absl::StrCat("targets differ in their prefix: ", tokens_.prefix, " and ",
                              tokens.prefix, " tokens"));
  }
  for (uint32_t group = 0; group < planner::kPageGroupsMax; ++group) {
    const auto& reach = order_.reach(group);
    if (!reach.has_value()) continue;
    if (reach->last.token_end > tokens.total) {
      return Error(Reason::kTotalsDiffer,
                   absl::StrCat("the target expects ", tokens.total,
                                " tokens, the source has sent ", reach->last.token_end));
    }
    if (reach->first_token > tokens.prefix) {
      return Error(Reason::kBadChunk,
                   absl::StrCat("the first chunk begins at token ", reach->first_token,
                                ", the target has only ", tokens.prefix));
    }
  }
  return absl::OkStatus();
}

absl::Status SourceRoom::CheckGroup(const RankRef& target) const {
  if (!group_.has_value() || *group_ == GroupOf(target)) return absl::OkStatus();
  return Error(Reason::kRoomInUse,
               absl::StrCat("room ", ToString(key_), " is that of ", ToString(*group_)), target);
}

void SourceRoom::Match() {
  offered_ = true;
  if (machine_.state() == SourceState::kOpen) machine_.Advance(SourceEvent::kOffer);
}

absl::StatusOr<TargetLeg*> SourceRoom::Offered(TargetLeg leg, const planner::RoomTokens& tokens,
                                               const std::vector<RankCoord>& expected) {
  if (absl::Status status = CheckGroup(leg.target); !status.ok()) return status;
  if (absl::Status status = CheckTotals(tokens); !status.ok()) return status;
  if (!std::binary_search(expected.begin(), expected.end(), leg.target.coord)) {
    return Error(Reason::kBadMessage, "this source has nothing to send to that target", leg.target);
  }
  for (const TargetLeg& other : legs_) {
    if (other.target == leg.target) {
      return Error(Reason::kRoomInUse, absl::StrCat("room ", ToString(key_), " was offered twice"),
                   leg.target);
    }
  }
  if (!offered_) expected_ = expected;
  Claim(GroupOf(leg.target));
  tokens_ = tokens;
  TargetLeg& added = legs_.emplace_back(std::move(leg));
  added.side.first_token = tokens.prefix;
  for (const auto& list : added.pages) added.side.pages.push_back(list);
  added.side.state_rows = added.state_rows;
  Match();
  return &added;
}

absl::Status SourceRoom::OfferedSpare(const RankRef& target, const planner::RoomTokens& tokens) {
  if (absl::Status status = CheckGroup(target); !status.ok()) return status;
  if (absl::Status status = CheckTotals(tokens); !status.ok()) return status;
  if (!legs_.empty()) {
    return Error(Reason::kBadMessage, "a target waits for this source: it is not spare");
  }
  Claim(GroupOf(target));
  spare_ = true;
  tokens_ = tokens;
  Match();
  return absl::OkStatus();
}

absl::Status SourceRoom::BadChunk(const shm_abi::Send& send, absl::string_view what) const {
  return Error(Reason::kBadChunk,
               absl::StrCat("room ", ToString(key_), ", chunk [", send.token_begin, ", ",
                            send.token_end, "): ", what));
}

// Against the total, whoever knows it.
absl::Status SourceRoom::CheckEnd(const shm_abi::Send& send) const {
  if (told_total_.has_value()) {
    if (send.token_end <= *told_total_) return absl::OkStatus();
    return BadChunk(send, absl::StrCat("outside the room's ", *told_total_, " tokens"));
  }
  if (send.token_end > planner::kTokensMax) return BadChunk(send, "no room has so many tokens");
  const bool fits = send.last ? send.token_end == tokens_.total : send.token_end <= tokens_.total;
  if (!offered_ || fits) return absl::OkStatus();
  return Error(Reason::kTotalsDiffer,
               absl::StrCat("room ", ToString(key_), send.last ? " ends" : " has a chunk that ends",
                            " at token ", send.token_end, ", the target expects ", tokens_.total));
}

absl::Status SourceRoom::CheckChunk(const shm_abi::Send& send) const {
  if (send.token_begin > send.token_end) return BadChunk(send, "token range is reversed");
  if (send.layer_begin > send.layer_end) return BadChunk(send, "layer range is reversed");
  if (absl::Status status = CheckEnd(send); !status.ok()) return status;
  if (!chunks_.empty() && chunks_.back().range.last) {
    return BadChunk(send, "comes after the last chunk");
  }
  for (uint32_t group = 0; group < planner::kPageGroupsMax; ++group) {
    if ((send.page_groups >> group & 1) == 0 || order_.reach(group).has_value()) continue;
    if (!offered_ || send.token_begin <= tokens_.prefix) continue;
    return BadChunk(send, absl::StrCat("begins after the target's prefix of ", tokens_.prefix));
  }
  const auto gap = order_.LeavesGap(RangeOf(send));
  if (!gap.has_value()) return absl::OkStatus();
  return BadChunk(send, absl::StrCat("does not follow [", gap->before.token_begin, ", ",
                                     gap->before.token_end, ") of page group ", gap->group));
}

void SourceRoom::AddChunk(shm_abi::Send&& send) {
  const planner::ChunkRange& range = chunks_.emplace_back(std::move(send)).range;
  order_.Add(range);
  if (!range.last || told_total_.has_value()) return;
  told_total_ = range.token_end;
  tokens_.total = range.token_end;
}

bool SourceRoom::AllSent() const {
  return state() == SourceState::kMatched && offered_ && !spare_ &&
         legs_.size() == expected_.size() &&
         std::all_of(legs_.begin(), legs_.end(), [](const TargetLeg& leg) { return leg.sent; });
}

bool SourceRoom::AllLanded() const {
  return state() == SourceState::kSent &&
         std::all_of(legs_.begin(), legs_.end(), [](const TargetLeg& leg) { return leg.landed; });
}

bool SourceRoom::Fail(absl::Status cause) {
  if (!machine_.CanAdvance(SourceEvent::kFail)) return false;
  cause_ = std::move(cause);
  machine_.Advance(SourceEvent::kFail);
  return true;
}

bool SourceRoom::AllStopped() const {
  return state() == SourceState::kStopping &&
         std::all_of(legs_.begin(), legs_.end(),
                     [](const TargetLeg& leg) { return leg.segments_in_flight == 0; });
}

}  // namespace baton::room
