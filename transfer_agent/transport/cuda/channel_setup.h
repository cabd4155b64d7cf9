// What a cuda channel needs besides its data: shm's sockets, and checks of memory. Slow path.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_CHANNEL_SETUP_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_CHANNEL_SETUP_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"
#include "transfer_agent/transport/cuda/factory.h"
#include "transfer_agent/transport/cuda/pull_engine.h"
#include "transfer_agent/transport/shm/channel_setup.h"
#include "transfer_agent/transport/stream/path.h"

namespace baton::transport::cuda {

class CudaPath final : public Path {
 public:
  CudaPath(const CudaOptions& options, GpuTable gpus)
      : sockets_({.socket_folder = options.socket_folder}),
        engine_(std::move(gpus), options.blocks) {}

  const Capabilities& capabilities() const override;
  absl::StatusOr<UniqueFd> Listen() override { return sockets_.Listen(); }
  absl::Status Adopt(int fd) override { return sockets_.Adopt(fd); }
  void FillOpen(v1::StreamOpen* open) const override { sockets_.FillOpen(open); }
  absl::Status CheckOpen(const v1::StreamOpen& open) const override;
  void FillAccept(v1::StreamAccept* accept) const override { sockets_.FillAccept(accept); }
  absl::StatusOr<UniqueFd> Connect(const v1::StreamAccept& accept) override {
    return sockets_.Connect(accept);
  }
  absl::Status CheckMemory(absl::Span<const LocalRegion> regions) const override;
  absl::Status Exported(MemoryId id, const Memory& memory) override {
    return engine_.AddMemory(id, memory);
  }
  void Forgotten(MemoryId id) override { engine_.RemoveMemory(id); }
  void PrepareMemory(absl::Span<const LocalRegion> regions) override;
  std::string KeyOf(const Memory& memory) const override { return GpusOf(memory); }
  absl::Status CheckReach(MemoryId memory, absl::string_view key) override {
    return engine_.CheckReach(memory, key);
  }
  bool Progress(std::vector<ChannelId>* ready) override;
  bool CanSleep() const override { return engine_.idle(); }
  bool Writes(const OpenedWindow* window) const override { return engine_.Writes(window); }
  std::unique_ptr<SourceLink> NewSource(const LinkContext& context) override;
  std::unique_ptr<TargetLink> NewTarget(const LinkContext& context) override;

 private:
  shm::ShmPath sockets_;
  PullEngine engine_;
  Counters* counters_ = nullptr;  // the transport's
};

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_CHANNEL_SETUP_H_
