// One queue pair of a channel: the chain that is being built, the ledger of what is posted, and
// the receives that stay posted. Nothing here allocates after the constructor. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_QUEUE_PAIR_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_QUEUE_PAIR_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "transfer_agent/transport/verbs/immediate.h"
#include "transfer_agent/transport/verbs/rail.h"
#include "transfer_agent/transport/verbs/send_chain.h"
#include "transfer_agent/transport/verbs/send_ledger.h"
#include "transfer_agent/transport/verbs/work_id.h"

namespace baton::transport::verbs {

struct QueueSizes {
  uint32_t sends = 0;
  uint32_t receives = 0;
  uint32_t gather = 1;
  uint32_t inline_bytes = 0;

  uint32_t completions() const { return sends + receives; }
};

// What a queue pair is connected to.
struct FarEnd {
  uint32_t rail = 0;
  // Which of its keys go with this queue pair: its rail's, or with memory windows its own.
  uint32_t key_column = 0;
  GidBytes gid{};
  uint32_t lid = 0;
};

class QueuePair {
 public:
  // Owns `qp` no more than its channel does: queue_pairs.h makes it and takes it down.
  QueuePair(Rail* rail, ibv_qp* qp, const QueueSizes& sizes, uint16_t place, uint16_t generation);

  Rail& rail() const { return *rail_; }
  ibv_qp* qp() const { return qp_; }
  const QueueSizes& sizes() const { return sizes_; }
  uint16_t place() const { return place_; }

  // --- sending
  SendLedger& sends() { return sends_; }
  const SendLedger& sends() const { return sends_; }
  bool CanAdd() const { return chain_.takes_more() && !sends_.full(); }
  // The next work request of the chain; the caller fills in the rest and charges it to somebody
  // (sends().Charge). CanAdd().
  ibv_send_wr& Add() { return chain_.Add(id_ | sends_.Add()); }
  // A word to the other end; false when the chain or the queue is full.
  bool AddWord(WordImmediate word);
  // An empty write, which completes only if the other end lives. False as above.
  bool AddProbe();
  // Posts the chain, or as much of it as the queue takes.
  absl::Status Ring() {
    if (chain_.empty()) return absl::OkStatus();
    const int error = chain_.Post(qp_);
    return error == 0 ? absl::OkStatus() : PostFailed("post_send", error);
  }
  bool has_chain() const { return !chain_.empty(); }

  // --- receiving
  absl::Status PostReceives(uint32_t count);
  // One was used. Posts again in batches; `granted` grows by what was posted.
  absl::Status ReceiveUsed();

  // Writes with immediate that the other end still has a receive for.
  uint32_t credits = 0;
  // Receives posted again since the other end was told.
  uint32_t granted = 0;
  uint32_t packet_sequence = 0;
  FarEnd far;

 private:
  absl::Status PostFailed(absl::string_view call, int error) const;

  Rail* const rail_;
  ibv_qp* const qp_;
  const QueueSizes sizes_;
  const uint16_t place_;
  const uint64_t id_;  // of its sends, but for their number
  SendChain chain_;
  SendLedger sends_;
  std::vector<ibv_recv_wr> receives_;
  uint32_t used_ = 0;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_QUEUE_PAIR_H_
