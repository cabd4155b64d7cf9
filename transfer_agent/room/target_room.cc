#include "transfer_agent/room/target_room.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::room {

absl::Status SourceLeg::CheckBytes() const {
  if (!AllIn() || !counts_bytes || bytes_landed == bytes_expected) return absl::OkStatus();
  return Error(Reason::kBadChunk,
               absl::StrCat("the source's parts had ", bytes_landed, " bytes, the room needs ",
                            bytes_expected),
               source);
}

TargetRoom::TargetRoom(shm_abi::OpenReceive request)
    : request_(std::move(request)),
      machine_("target_room", absl::MakeConstSpan(kTargetRows), TargetState::kLooking) {}

absl::Status TargetRoom::SourceComplete(const RankRef& source, uint64_t total_tokens) {
  for (Source& known : listens_to_) {
    if (known.rank != source) continue;
    known.complete = true;
    const uint64_t expected =
        source_tokens_.value_or(request_.announced ? total_tokens : request_.total_tokens);
    if (total_tokens != expected) {
      return Error(Reason::kTotalsDiffer,
                   absl::StrCat("the source has ", total_tokens, " tokens, others ", expected),
                   source);
    }
    source_tokens_ = total_tokens;
  }
  return absl::OkStatus();
}

bool TargetRoom::sources_complete() const {
  return !listens_to_.empty() && std::all_of(listens_to_.begin(), listens_to_.end(),
                                             [](const Source& s) { return s.complete; });
}

absl::Status TargetRoom::Provide(shm_abi::Provide&& provide) {
  request_.announced = false;
  request_.total_tokens = provide.total_tokens;
  request_.prefix_tokens = provide.prefix_tokens;
  request_.pages = std::move(provide.pages);
  request_.state_rows = std::move(provide.state_rows);
  request_.aux_row = provide.aux_row;
  if (!source_tokens_.has_value() || *source_tokens_ == request_.total_tokens) {
    return absl::OkStatus();
  }
  return Error(Reason::kTotalsDiffer, absl::StrCat("pages for ", request_.total_tokens,
                                                   " tokens, the source has ", *source_tokens_));
}

uint64_t TargetRoom::bytes_landed() const {
  uint64_t bytes = 0;
  for (const SourceLeg& leg : legs_) {
    bytes += leg.counts_bytes ? leg.bytes_landed : leg.AllIn() ? leg.bytes_expected : 0;
  }
  return bytes;
}

absl::Status TargetRoom::PartLanded(size_t leg_index, uint32_t part, uint64_t bytes) {
  SourceLeg& leg = legs_[leg_index];
  if (part >= transport::kPartsMax) {
    return Error(Reason::kBadMessage, absl::StrCat("part ", part, " of at most 64"), leg.source);
  }
  const uint64_t bit = uint64_t{1} << part;
  if (leg.parts_landed & bit) return absl::OkStatus();
  if (leg.sent && !(leg.parts_expected & bit)) {
    return Error(Reason::kBadMessage, absl::StrCat("part ", part, " was never announced"),
                 leg.source);
  }
  leg.parts_landed |= bit;
  if (bytes == transport::kBytesUnknown) {
    leg.counts_bytes = false;
    return absl::OkStatus();
  }
  leg.bytes_landed += bytes;
  if (leg.bytes_landed > leg.bytes_expected) {
    return Error(
        Reason::kBadMessage,
        absl::StrCat("source sent ", leg.bytes_landed, " bytes, the plan has ", leg.bytes_expected),
        leg.source);
  }
  return leg.CheckBytes();
}

absl::Status TargetRoom::Sent(size_t leg_index, uint64_t parts, uint64_t bytes,
                              uint64_t total_tokens) {
  SourceLeg& leg = legs_[leg_index];
  if (leg.sent) return absl::OkStatus();
  if (total_tokens != request_.total_tokens) {
    return Error(Reason::kTotalsDiffer,
                 absl::StrCat("source has ", total_tokens, " tokens, target expects ",
                              request_.total_tokens),
                 leg.source);
  }
  if (bytes != leg.bytes_expected) {
    return Error(Reason::kBadChunk,
                 absl::StrCat("source's chunks cover ", bytes, " bytes, the room needs ",
                              leg.bytes_expected),
                 leg.source);
  }
  if (parts == 0 || (leg.parts_landed & ~parts) != 0) {
    return Error(Reason::kBadMessage, "source announces other parts than it sent", leg.source);
  }
  leg.sent = true;
  leg.parts_expected = parts;
  return leg.CheckBytes();
}

bool TargetRoom::AllIn() const {
  return state() == TargetState::kOffered &&
         std::all_of(legs_.begin(), legs_.end(), [](const SourceLeg& leg) { return leg.AllIn(); });
}

bool TargetRoom::Fail(absl::Status cause) {
  if (!machine_.CanAdvance(TargetEvent::kFail)) return false;
  cause_ = std::move(cause);
  machine_.Advance(TargetEvent::kFail);
  return true;
}

bool TargetRoom::AllFenced() const {
  return state() == TargetState::kFencing &&
         std::all_of(legs_.begin(), legs_.end(), [](const SourceLeg& leg) { return leg.fenced; });
}

}  // namespace baton::room
