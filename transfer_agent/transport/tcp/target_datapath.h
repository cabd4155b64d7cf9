// The receiving end of a tcp channel: the socket is read straight into the target's pages. Hot
// path: no copy in user space, no allocation between frames.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_TCP_TARGET_DATAPATH_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_TCP_TARGET_DATAPATH_H_

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "transfer_agent/transport/stream/frame.h"
#include "transfer_agent/transport/stream/landing.h"
#include "transfer_agent/transport/stream/path.h"

namespace baton::transport::tcp {

class TargetDatapath final : public TargetLink {
 public:
  explicit TargetDatapath(const LinkContext& context);

  void DropWindow(const OpenedWindow* window) override;
  absl::StatusOr<Pumped> Pump(int fd, Edges edges) override;

 private:
  // A frame whose checksum was wrong. What follows says whether the source had given it up.
  struct Suspect {
    OfferId offer;
    absl::Status cause;
  };

  // Places for the next bytes of the stream: payload, then the header behind it. The number of
  // iovecs at `iovecs_[first_]`.
  size_t Prepare();
  size_t PreparePayload();
  size_t PrepareDiscard();
  absl::Status Consume(size_t bytes);
  void ConsumePayload(size_t bytes);
  // Behind the next bytes of the payload, which are in the pool.
  void PassPayload(size_t bytes);
  void FinishPayload();
  absl::Status OnHeader();
  void OnData();
  void OnPart();
  void Break(OpenedWindow* window, const absl::Status& cause);
  void SettleSuspect();

  const LinkContext context_;
  bool hangup_ = false;
  FrameBuffer header_;
  size_t header_filled_ = 0;
  Frame frame_;
  uint64_t payload_left_ = 0;
  uint32_t crc_ = 0;
  Landing landing_;
  std::vector<iovec> iovecs_;
  size_t first_ = 0;   // first iovec of the payload with room
  size_t mapped_ = 0;  // end of the payload's iovecs
  // Where bytes go that nobody waits for.
  std::unique_ptr<std::byte[]> scratch_;
  std::optional<Suspect> suspect_;
};

}  // namespace baton::transport::tcp

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_TCP_TARGET_DATAPATH_H_
