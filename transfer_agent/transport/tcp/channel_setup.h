// Sockets of the tcp transport: listening, connecting, options. Slow path.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_TCP_CHANNEL_SETUP_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_TCP_CHANNEL_SETUP_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "transfer_agent/transport/stream/path.h"
#include "transfer_agent/transport/tcp/factory.h"

namespace baton::transport::tcp {

class TcpPath final : public Path {
 public:
  explicit TcpPath(const TcpOptions& options) : options_(options) {}

  const Capabilities& capabilities() const override;
  absl::StatusOr<UniqueFd> Listen() override;
  absl::Status Adopt(int fd) override;
  void FillOpen(v1::StreamOpen* open) const override;
  absl::Status CheckOpen(const v1::StreamOpen& open) const override;
  void FillAccept(v1::StreamAccept* accept) const override;
  absl::StatusOr<UniqueFd> Connect(const v1::StreamAccept& accept) override;
  absl::Status CheckMemory(absl::Span<const LocalRegion> regions) const override;
  std::unique_ptr<SourceLink> NewSource(const LinkContext& context) override;
  std::unique_ptr<TargetLink> NewTarget(const LinkContext& context) override;

 private:
  const TcpOptions options_;
  uint16_t port_ = 0;
};

}  // namespace baton::transport::tcp

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_TCP_CHANNEL_SETUP_H_
