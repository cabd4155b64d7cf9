// Sockets and memory checks of the shm transport. Slow path.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_SHM_CHANNEL_SETUP_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_SHM_CHANNEL_SETUP_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "transfer_agent/transport/shm/factory.h"
#include "transfer_agent/transport/stream/path.h"

namespace baton::transport::shm {

class ShmPath final : public Path {
 public:
  explicit ShmPath(const ShmOptions& options) : options_(options) {}
  ~ShmPath() override;

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
  absl::StatusOr<UniqueFd> ListenAbstract(const std::string& name);

  const ShmOptions options_;
  std::string host_key_;
  std::string address_;  // "/folder/file" or "@name"
};

}  // namespace baton::transport::shm

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_SHM_CHANNEL_SETUP_H_
