// The sending end of a tcp channel: segments become frames, frames leave in batches. Hot path.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_TCP_SOURCE_DATAPATH_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_TCP_SOURCE_DATAPATH_H_

#include <sys/uio.h>

#include <cstdint>
#include <deque>
#include <vector>

#include "transfer_agent/transport/stream/lanes.h"
#include "transfer_agent/transport/stream/path.h"
#include "transfer_agent/transport/tcp/send_batch.h"

namespace baton::transport::tcp {

class SourceDatapath final : public SourceLink {
 public:
  explicit SourceDatapath(const LinkContext& context);

  void SetChecksums(bool checksums) override { context_.checksums = checksums; }
  Submitted Submit(Segment segment) override;
  void Cancel(OfferId offer) override;
  void Abandon(const absl::Status& cause) override;
  void ForgetMemory(MemoryId) override {}
  absl::StatusOr<Pumped> Pump(int fd, Edges edges) override;

 private:
  void Fill();
  void AddFrames(Lane* lane);
  // An error ends the offer: pages that are outside the segment's memory, or gone.
  absl::Status AddData(Lane* lane, Job* job);
  void Finish(Lane* lane);
  void End(OfferId offer, const absl::Status& cause);

  LinkContext context_;
  Lanes lanes_;
  SendBatch batch_;
  std::deque<OfferId> cancels_;
  std::vector<planner::CopyRun> runs_;
  std::vector<iovec> payload_;
};

}  // namespace baton::transport::tcp

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_TCP_SOURCE_DATAPATH_H_
