#include "common/shm_abi/peer_row.h"

#include <cstring>

#include "common/reason.h"
#include "common/shm_abi/cause_text.h"

namespace baton::shm_abi {
namespace {

PeerRecord RecordOf(const PeerAnswer& answer) {
  PeerRecord record = {};
  record.generation = answer.generation;
  record.state = static_cast<uint32_t>(answer.state);
  record.dp_size = answer.dp_size;
  record.draining = answer.draining;
  record.incarnation = answer.incarnation.value();
  const absl::string_view server = CutText(answer.server, kPeerServerMax - 1);
  memcpy(record.server, server.data(), server.size());
  if (answer.cause.ok()) return record;
  record.reason = static_cast<uint32_t>(ReasonOf(answer.cause));
  const std::optional<RankRef> rank = RankOf(answer.cause);
  const RankRef named = rank.value_or(RankRef());
  record.rank_known = rank.has_value();
  record.rank_dp = named.coord.dp;
  record.rank_pp = named.coord.pp;
  record.rank_cp = named.coord.cp;
  record.rank_tp = named.coord.tp;
  PutCauseText(named.server, answer.cause.message(), record.text, kPeerTextMax);
  return record;
}

absl::Status CauseOf(const PeerRecord& record) {
  CauseText text = TakeCauseText(record.text, kPeerTextMax);
  const Reason reason = ReasonFromNumber(record.reason);
  if (record.rank_known == 0) return Error(reason, text.message);
  return Error(reason, text.message,
               RankRef{std::move(text.server),
                       {record.rank_dp, record.rank_pp, record.rank_cp, record.rank_tp}});
}

PeerAnswer AnswerOf(const PeerRecord& record) {
  PeerAnswer answer;
  answer.generation = record.generation;
  answer.state = static_cast<PeerState>(record.state);
  answer.dp_size = record.dp_size;
  answer.draining = record.draining != 0;
  answer.incarnation = Incarnation(record.incarnation);
  answer.server.assign(record.server, strnlen(record.server, kPeerServerMax));
  // A number of a newer agent.
  if (answer.state > PeerState::kIncompatible) answer.state = PeerState::kUnanswered;
  if (answer.state != PeerState::kReady && answer.state != PeerState::kUnanswered) {
    answer.cause = CauseOf(record);
  }
  return answer;
}

}  // namespace

void StorePeer(const PeerAnswer& answer, PeerRow* row) {
  const PeerRecord record = RecordOf(answer);
  uint64_t words[PeerRow::kWords];
  memcpy(words, &record, sizeof(record));
  const uint64_t next = row->version.load(std::memory_order_relaxed) + 1;
  auto& copy = row->copies[next & 1];
  // Release, each: a reader that sees one of these words sees also that the version it began with
  // was followed by another.
  for (size_t i = 0; i < PeerRow::kWords; ++i) copy[i].store(words[i], std::memory_order_release);
  row->version.store(next, std::memory_order_release);
}

PeerAnswer LoadPeer(const PeerRow& row) {
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    const uint64_t version = row.version.load(std::memory_order_acquire);
    const auto& copy = row.copies[version & 1];
    uint64_t words[PeerRow::kWords];
    for (size_t w = 0; w < PeerRow::kWords; ++w) words[w] = copy[w].load(std::memory_order_acquire);
    if (row.version.load(std::memory_order_relaxed) != version) continue;
    PeerRecord record;
    memcpy(&record, words, sizeof(record));
    return AnswerOf(record);
  }
  return {};
}

}  // namespace baton::shm_abi
