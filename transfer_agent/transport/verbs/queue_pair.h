// One queue pair of a channel: the chain that is being built, the ledger of what is posted, and
// the receives that stay posted.
//
// Sends are posted as chains: one call, one doorbell, the last work request signalled. A queue pair
// completes in order, so that one completion gives back the places of the whole chain. Nothing here
// allocates after the constructor. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_QUEUE_PAIR_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_QUEUE_PAIR_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "transfer_agent/transport/verbs/immediate.h"
#include "transfer_agent/transport/verbs/rail.h"
#include "transfer_agent/transport/verbs/work_id.h"

namespace baton::transport::verbs {

struct Job;

// Work requests of one chain.
inline constexpr uint32_t kChainMax = 64;

struct QueueSizes {
  uint32_t sends = 0;
  uint32_t receives = 0;
  uint32_t gather = 1;
  uint32_t inline_bytes = 0;

  uint32_t completions() const { return sends + receives; }
};

class QueuePair {
 public:
  struct Posted {
    Job* job = nullptr;  // null: a word or a probe
    uint32_t bytes = 0;
  };

  // Owns `qp` no more than its channel does: channel_setup.h makes and buries it.
  QueuePair(Rail* rail, ibv_qp* qp, const QueueSizes& sizes, uint16_t place, uint16_t generation);

  Rail& rail() const { return *rail_; }
  ibv_qp* qp() const { return qp_; }
  const QueueSizes& sizes() const { return sizes_; }
  uint16_t place() const { return place_; }
  uint16_t generation() const { return generation_; }

  // --- sending
  bool CanAdd() const { return chained_ < kChainMax && !stuck_ && tail_ - head_ < sizes_.sends; }
  // The next work request of the chain, with its sg_list; the caller fills in the rest. CanAdd().
  ibv_send_wr& Add();
  // Of the work request that Add returned last.
  void Charge(Job* job, uint32_t bytes) {
    ledger_[(tail_ - 1) % sizes_.sends] = {job, bytes};
    posted_bytes_ += bytes;
  }
  // A word to the other end; false when the chain or the queue is full.
  bool AddWord(WordImmediate word);
  // An empty write, which completes only if the other end lives. False as above.
  bool AddProbe();
  // Posts the chain. A send queue that is full is no error: what is left goes with the next call.
  absl::Status Ring();
  bool has_chain() const { return chained_ > 0; }
  // Sends added so far, and those of them that have completed.
  uint64_t added() const { return tail_; }
  uint64_t completed() const { return head_; }
  // Nothing is posted or about to be.
  bool idle() const { return head_ == tail_; }
  uint64_t posted_bytes() const { return posted_bytes_; }

  // The send numbered `sequence` has completed: calls each(posted) for it and all before it. A
  // number that is not under way (a repeated completion) changes nothing.
  template <typename Each>
  void Retire(uint32_t sequence, Each each) {
    const uint32_t ahead = sequence - static_cast<uint32_t>(head_);
    if (ahead >= tail_ - head_) return;
    for (const uint64_t end = head_ + ahead + 1; head_ != end; ++head_) {
      const Posted& posted = ledger_[head_ % sizes_.sends];
      posted_bytes_ -= posted.bytes;
      each(posted);
    }
  }
  // Whose the send of that number is, while it is under way; null: nobody's.
  Job* JobOf(uint32_t sequence) const {
    const uint32_t ahead = sequence - static_cast<uint32_t>(head_);
    return ahead < tail_ - head_ ? ledger_[(head_ + ahead) % sizes_.sends].job : nullptr;
  }
  // Everything that is posted, as if it had completed.
  template <typename Each>
  void RetireAll(Each each) {
    if (head_ != tail_) Retire(static_cast<uint32_t>(tail_ - 1), each);
  }

  // --- receiving
  absl::Status PostReceives(uint32_t count);
  // One was used. Posts again in batches; `granted` grows by what was posted.
  absl::Status ReceiveUsed();

  // Writes with immediate that the other end still has a receive for.
  uint32_t credits = 0;
  // Receives posted again since the other end was told.
  uint32_t granted = 0;
  // Position of rail() among this agent's rails: which of its own keys go with it.
  size_t rail_index = 0;
  // The other end's rail.
  uint32_t remote_rail = 0;
  // Which of its keys go with this queue pair: its rail's, or with memory windows its own.
  uint32_t key_column = 0;
  uint32_t packet_sequence = 0;
  GidBytes remote_gid{};
  uint32_t remote_lid = 0;

 private:
  absl::Status PostFailed(absl::string_view call, int error) const;

  Rail* const rail_;
  ibv_qp* const qp_;
  const QueueSizes sizes_;
  const uint16_t place_;
  const uint16_t generation_;

  std::vector<ibv_send_wr> chain_;
  std::vector<ibv_sge> elements_;
  uint32_t chained_ = 0;  // of chain_, from first_ on not posted
  uint32_t first_ = 0;
  bool stuck_ = false;  // the device took a part of the chain
  std::vector<Posted> ledger_;
  uint64_t head_ = 0;
  uint64_t tail_ = 0;
  uint64_t posted_bytes_ = 0;

  std::vector<ibv_recv_wr> receives_;
  uint32_t used_ = 0;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_QUEUE_PAIR_H_
