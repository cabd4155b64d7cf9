// The sending end of a shm channel: tells the target which runs of lent memory to read, and keeps
// them lent until it has. Hot path.
//
// A part is closed only after the target has read all of it: had the close been under way earlier,
// a stopped target could wake, read pages that are another request's by then, and believe them.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_SHM_SOURCE_DATAPATH_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_SHM_SOURCE_DATAPATH_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "transfer_agent/transport/shm/message.h"
#include "transfer_agent/transport/stream/lanes.h"
#include "transfer_agent/transport/stream/path.h"

namespace baton::transport::shm {

class SourceDatapath final : public SourceLink {
 public:
  explicit SourceDatapath(const LinkContext& context);

  void SetChecksums(bool checksums) override { context_.checksums = checksums; }
  Submitted Submit(Segment segment) override;
  void Cancel(OfferId offer) override;
  void Abandon(const absl::Status& cause) override;
  void ForgetMemory(MemoryId memory) override;
  absl::StatusOr<Pumped> Pump(int fd, Edges edges) override;

 private:
  // Batches sent and not read by the target.
  static constexpr uint64_t kBatchesInFlightMax = 8;

  // A segment whose last batch is `serial`: it ends when that has been read.
  struct Ending {
    uint64_t serial;
    OfferId offer;
    uint64_t cookie;
    absl::Status status;
    std::optional<Frame> close;
  };

  // True: the socket is full, or the target has enough to read.
  absl::StatusOr<bool> SendControl(int fd);
  absl::StatusOr<bool> SendBatches(int fd);
  absl::StatusOr<bool> Lend(int fd, MemoryId memory);
  // Makes the lane's next batch the waiting one, or ends the offer.
  void BuildBatch(Lane* lane);
  // An error ends the offer: pages that are outside the segment's memory, or gone.
  absl::Status AddRuns(Lane* lane, Job* job);
  absl::Status ReadAcks(int fd);
  absl::Status OnAck(const Frame& frame);
  void PassEndings();
  void Finish(Lane* lane);
  void End(OfferId offer, const absl::Status& cause);
  // The offer's last batch that the target may still be reading, 0: none.
  uint64_t LastInFlight(OfferId offer) const;

  LinkContext context_;
  Lanes lanes_;
  uint64_t last_built_ = 0;
  uint64_t last_read_ = 0;
  std::deque<OfferId> in_flight_;  // of batches last_read_ + 1 to last_built_
  std::deque<Ending> endings_;     // serials ascend
  std::deque<Frame> control_;
  absl::flat_hash_set<MemoryId> lent_;
  std::vector<planner::CopyRun> pieces_;
  std::vector<RunRecord> runs_;
  // Built, with `runs_`, and not taken by the socket yet. Counts as in flight.
  std::optional<Frame> waiting_;
  Message message_;
};

}  // namespace baton::transport::shm

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_SHM_SOURCE_DATAPATH_H_
