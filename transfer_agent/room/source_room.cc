#include "transfer_agent/room/source_room.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::room {

HeldChunk::HeldChunk(shm_abi::Send&& send)
    : range{send.token_begin, send.token_end, send.layer_begin, send.layer_end, send.last},
      pages(std::move(send.pages)),
      state_rows(std::move(send.state_rows)) {
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

absl::Status SourceRoom::Opened(uint64_t total_tokens) {
  opened_ = true;
  if (offered_ && total_tokens != total_tokens_) {
    return Error(Reason::kTotalsDiffer,
                 absl::StrCat("OpenSend says ", total_tokens, " tokens, the target expects ",
                              total_tokens_));
  }
  total_tokens_ = total_tokens;
  if (machine_.state() == SourceState::kHeld) machine_.Advance(SourceEvent::kOpen);
  return absl::OkStatus();
}

absl::Status SourceRoom::CheckTotals(const planner::RoomTokens& tokens) const {
  if (opened_ || offered_) {
    if (tokens.total != total_tokens_) {
      return Error(Reason::kTotalsDiffer, absl::StrCat("the target expects ", tokens.total,
                                                       " tokens, the source has ", total_tokens_));
    }
  }
  if (offered_ && tokens.prefix != prefix_tokens_) {
    return Error(Reason::kTotalsDiffer,
                 absl::StrCat("targets differ in their prefix: ", prefix_tokens_, " and ",
                              tokens.prefix, " tokens"));
  }
  if (!chunks_.empty() && chunks_.front().range.token_begin > tokens.prefix) {
    return Error(Reason::kBadChunk,
                 absl::StrCat("the first chunk begins at token ", chunks_.front().range.token_begin,
                              ", the target has only ", tokens.prefix));
  }
  return absl::OkStatus();
}

void SourceRoom::Match() {
  offered_ = true;
  if (machine_.state() == SourceState::kOpen) machine_.Advance(SourceEvent::kOffer);
}

absl::StatusOr<TargetLeg*> SourceRoom::Offered(TargetLeg leg, const planner::RoomTokens& tokens,
                                               const std::vector<RankCoord>& expected) {
  if (absl::Status status = CheckTotals(tokens); !status.ok()) return status;
  if (!std::binary_search(expected.begin(), expected.end(), leg.target.coord)) {
    return Error(Reason::kBadMessage, "this source has nothing to send to that target", leg.target);
  }
  for (const TargetLeg& other : legs_) {
    if (other.target == leg.target) {
      return Error(Reason::kRoomInUse, absl::StrCat("room ", ToString(key_), " was offered twice"),
                   leg.target);
    }
    if (other.target.server != leg.target.server || other.target.coord.dp != leg.target.coord.dp) {
      return Error(
          Reason::kRoomInUse,
          absl::StrCat("room ", ToString(key_), " is offered by ", ToString(other.target), " too"),
          leg.target);
    }
  }
  if (!offered_) expected_ = expected;
  total_tokens_ = tokens.total;
  prefix_tokens_ = tokens.prefix;
  TargetLeg& added = legs_.emplace_back(std::move(leg));
  added.side.first_token = tokens.prefix;
  for (const auto& list : added.pages) added.side.pages.push_back(list);
  added.side.state_rows = added.state_rows;
  Match();
  return &added;
}

absl::Status SourceRoom::OfferedSpare(const planner::RoomTokens& tokens) {
  if (absl::Status status = CheckTotals(tokens); !status.ok()) return status;
  if (!legs_.empty()) {
    return Error(Reason::kBadMessage, "a target waits for this source: it is not spare");
  }
  spare_ = true;
  total_tokens_ = tokens.total;
  prefix_tokens_ = tokens.prefix;
  Match();
  return absl::OkStatus();
}

absl::Status SourceRoom::CheckChunk(const shm_abi::Send& send) const {
  auto bad = [&](absl::string_view what) {
    return Error(Reason::kBadChunk,
                 absl::StrCat("room ", ToString(key_), ", chunk [", send.token_begin, ", ",
                              send.token_end, "): ", what));
  };
  if (send.token_begin > send.token_end || send.token_end > total_tokens_) {
    return bad(absl::StrCat("outside the room's ", total_tokens_, " tokens"));
  }
  if (send.layer_begin > send.layer_end) return bad("layer range is reversed");
  if (chunks_.empty()) {
    if (offered_ && send.token_begin > prefix_tokens_) {
      return bad(absl::StrCat("begins after the target's prefix of ", prefix_tokens_));
    }
    return absl::OkStatus();
  }
  const planner::ChunkRange& before = chunks_.back().range;
  if (before.last) return bad("comes after the last chunk");
  // Either the tokens that follow, or more layers of the same tokens.
  const bool follows = send.token_begin == before.token_end;
  const bool more_layers = send.token_begin == before.token_begin &&
                           send.token_end == before.token_end &&
                           send.layer_begin >= before.layer_end;
  if (!follows && !more_layers) {
    return bad(absl::StrCat("does not follow [", before.token_begin, ", ", before.token_end, ")"));
  }
  return absl::OkStatus();
}

void SourceRoom::AddChunk(shm_abi::Send&& send) { chunks_.emplace_back(std::move(send)); }

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
