// The sending end of a cuda channel: tells the target the page lists of each chunk, and keeps the
// pages lent until the target has pulled them. Touches no GPU. Hot path.
//
// A part's close follows right behind its last chunk. The target acts on it when it has pulled
// everything and finds the socket open: this end closes it before it gives pages up that may still
// be read.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_SOURCE_DATAPATH_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_SOURCE_DATAPATH_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "transfer_agent/transport/cuda/work_list.h"
#include "transfer_agent/transport/shm/message.h"
#include "transfer_agent/transport/stream/lanes.h"
#include "transfer_agent/transport/stream/path.h"

namespace baton::transport::cuda {

class SourceDatapath final : public SourceLink {
 public:
  explicit SourceDatapath(const LinkContext& context) : context_(context) {}

  void SetChecksums(bool) override {}
  Submitted Submit(Segment segment) override;
  void Cancel(OfferId offer) override;
  void Abandon(const absl::Status& cause) override;
  void ForgetMemory(MemoryId memory) override;
  absl::StatusOr<Pumped> Pump(int fd, Edges edges) override;

 private:
  // Chunks sent and not pulled yet: enough to keep the target's GPU at work, and of one offer few,
  // so that the others find room.
  static constexpr size_t kChunksInFlightMax = 64;
  static constexpr size_t kChunksOfOfferMax = 4;

  // A segment that the target has, or that was cancelled. It ends when it is the first of its offer
  // and the target does not read it any more.
  struct Ending {
    uint64_t serial;  // 0: the target never heard of it
    OfferId offer;
    uint64_t cookie;
    absl::Status status;
  };
  // The chunk whose words are being sent.
  struct Sending {
    Frame frame;
    size_t sent = 0;
  };

  // True: the socket is full, or the target has enough to do.
  absl::StatusOr<bool> SendControl(int fd);
  absl::StatusOr<bool> SendChunks(int fd);
  absl::StatusOr<bool> SendWords(int fd);
  absl::StatusOr<bool> Lend(int fd, MemoryId memory);
  // The next lane that may send, null: none.
  Lane* NextLane();
  // Makes the lane's next chunk the one that is sent, or ends the offer.
  void BeginChunk(Lane* lane);
  absl::Status CheckChunk(const Segment& segment);
  absl::Status ReadAcks(int fd);
  void PassEndings();
  void End(OfferId offer, const absl::Status& cause);
  size_t InFlightOf(OfferId offer) const;

  LinkContext context_;
  Lanes lanes_;
  uint64_t last_serial_ = 0;
  std::deque<Ending> endings_;
  absl::flat_hash_set<uint64_t> unread_;  // serials that the target may still be reading
  std::deque<Frame> control_;
  absl::flat_hash_set<MemoryId> lent_;
  std::optional<Sending> sending_;
  std::vector<int32_t> words_;
  WorkList work_;
  shm::Message message_;
};

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_SOURCE_DATAPATH_H_
