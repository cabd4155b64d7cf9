// The receiving end of a shm channel: copies the runs that the source names from read-only mappings
// into the target's pages, and says when it has. Hot path: one copy, no allocation between batches.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_SHM_TARGET_DATAPATH_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_SHM_TARGET_DATAPATH_H_

#include <sys/uio.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "transfer_agent/transport/shm/message.h"
#include "transfer_agent/transport/shm/peer_memory.h"
#include "transfer_agent/transport/stream/landing.h"
#include "transfer_agent/transport/stream/path.h"

namespace baton::transport::shm {

class TargetDatapath final : public TargetLink {
 public:
  explicit TargetDatapath(const LinkContext& context);

  void DropWindow(const OpenedWindow* window) override;
  absl::StatusOr<Pumped> Pump(int fd, Edges edges) override;

 private:
  using Pieces = absl::Span<const absl::Span<const std::byte>>;
  // How far the copy of a batch has come.
  struct Progress {
    Pieces::iterator piece;
    Pieces::iterator end;
    size_t read = 0;  // bytes of the piece
    uint32_t crc = 0;
  };

  absl::Status OnMessage(int fd);
  absl::Status OnMemory();
  absl::Status OnRuns(int fd);
  // An error breaks the window.
  absl::Status Land(OpenedWindow* window);
  absl::Status CopyPieces(Pieces pieces);
  void CopyInto(absl::Span<const iovec> places, Progress* at) const;
  void OnPart();
  void Break(OpenedWindow* window, const absl::Status& cause);
  absl::StatusOr<bool> Acknowledge(int fd);

  const LinkContext context_;
  PeerMemory memory_;
  Landing landing_;
  uint64_t last_read_ = 0;
  uint64_t last_acknowledged_ = 0;
  std::vector<iovec> iovecs_;
  Message message_;
};

}  // namespace baton::transport::shm

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_SHM_TARGET_DATAPATH_H_
