// The sending end of a channel: turns segments into chains of RDMA writes over its queue pairs.
//
// Rooms take turns; bytes go to the queue pair that has the fewest under way. Pages that are
// neighbours at the target go out as one write that gathers them. A part is closed by a write with
// immediate on each queue pair, behind everything of the part there; the part's last write carries
// it on its own queue pair. No allocation and no lock. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_SOURCE_DATAPATH_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_SOURCE_DATAPATH_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "transfer_agent/transport/stream/event_queue.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/options.h"
#include "transfer_agent/transport/verbs/queue_pair.h"
#include "transfer_agent/transport/verbs/send_rooms.h"

namespace baton::transport::verbs {

class SourceDatapath {
 public:
  // All outlive it. Queue pairs are added before the first Post.
  SourceDatapath(const VerbsOptions& options, EventQueue* events, Counters* counters)
      : options_(options), events_(events), counters_(counters) {}

  void AddQueuePair(QueuePair* qp) { qps_.push_back(qp); }

  Submitted Submit(const Segment& segment, const LocalMemory* local, const RemoteMemory* remote);
  void Cancel(OfferId offer) { End(offer, absl::CancelledError("the offer was cancelled")); }
  // The same for all; what is posted still ends by its acknowledgement.
  void CancelAll(const absl::Status& cause);
  // What `qp` posted under that number is the cause of its failure: its segment ends by `cause`.
  static void Blame(QueuePair* qp, uint32_t sequence, const absl::Status& cause);
  // Ends everything now: the queue pairs are in reset, nothing reads the pages any more. Segments
  // are marked as segment_end.h says.
  void Abandon(const absl::Status& cause);
  void ForgetMemory(const LocalMemory* local);

  // The keys have come: each segment's memory is key_of(memory) from now on. False: one has none.
  template <typename KeyOf>
  bool Rekey(KeyOf key_of) {
    bool all = true;
    rooms_.ForEach([&](OfferId, Job& first) {
      for (Job* job = &first; job != nullptr; job = job->next) {
        if (job->remote != nullptr) job->remote = key_of(*job->remote);
        all = all && (job->remote != nullptr || job->segment.cursor.bytes_total() == 0);
      }
    });
    return all;
  }

  // Posts at most one chain on each queue pair. True when something was posted.
  absl::StatusOr<bool> Post();
  // A completion of `qp`.
  void OnSent(QueuePair* qp, uint32_t sequence) {
    qp->sends().Complete(sequence, [this, qp](const SendLedger::Send& posted) {
      qp->rail().metrics()->sent_bytes.Add(posted.bytes);
      Acknowledge(posted);
    });
  }
  // No segment is left.
  bool idle() const { return rooms_.jobs() == 0; }

 private:
  QueuePair* Lightest() const;
  // False: a run leaves the memory of one of the sides.
  bool AddWrite(Job* job, size_t index);
  bool Gather(Job* job, const QueuePair& qp, uint64_t bytes_max, ibv_send_wr* wr, uint64_t* bytes);
  void Close(Job* job);
  static void FillImmediate(const Job& job, ibv_send_wr* wr);
  // True when it added something.
  bool Serve(SendRoom* room);
  void End(OfferId offer, const absl::Status& cause);
  void EndJobs(Job* jobs, const absl::Status& cause);
  void Acknowledge(const SendLedger::Send& posted);
  void Finish(Job* job);

  const VerbsOptions& options_;
  EventQueue* const events_;
  Counters* const counters_;
  std::vector<QueuePair*> qps_;
  SendRooms rooms_;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_SOURCE_DATAPATH_H_
