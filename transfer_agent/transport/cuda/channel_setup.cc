#include "transfer_agent/transport/cuda/channel_setup.h"

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "transfer_agent/transport/cuda/source_datapath.h"
#include "transfer_agent/transport/cuda/target_datapath.h"

namespace baton::transport::cuda {

const Capabilities& CudaPath::capabilities() const {
  static constexpr Capabilities kCapabilities{
      .name = "cuda", .local_fence = true, .gpu_memory = true, .same_host = true};
  return kCapabilities;
}

absl::Status CudaPath::CheckOpen(const v1::StreamOpen& open) const {
  absl::Status s = sockets_.CheckOpen(open);
  if (s.ok()) return s;
  return Error(ReasonOf(s), absl::StrCat("for cuda, ", s.message()));
}

absl::Status CudaPath::CheckMemory(absl::Span<const LocalRegion> regions) const {
  for (size_t i = 0; i < regions.size(); ++i) {
    if (!regions[i].dma_buf || regions[i].share.kind != DeviceShare::Kind::kNone) continue;
    return Error(Reason::kNoTransport,
                 absl::StrCat("region ", i, " is GPU memory that came without a CUDA handle: give ",
                              "the agent what ExportCudaPool got, or see what it says is missing"));
  }
  return sockets_.CheckMemory(regions);
}

void CudaPath::PrepareMemory(absl::Span<const LocalRegion> regions) {
  for (const LocalRegion& region : regions) {
    // What goes wrong here goes wrong again, and is told, when the memory is exported.
    if (region.dma_buf && region.target) engine_.gpus()->Prepare(region.share.device).IgnoreError();
  }
}

bool CudaPath::Progress(std::vector<ChannelId>* ready) {
  return counters_ != nullptr && engine_.Poll(counters_, ready);
}

std::unique_ptr<SourceLink> CudaPath::NewSource(const LinkContext& context) {
  return std::make_unique<SourceDatapath>(context);
}

std::unique_ptr<TargetLink> CudaPath::NewTarget(const LinkContext& context) {
  counters_ = context.counters;
  return std::make_unique<TargetDatapath>(context, &engine_);
}

}  // namespace baton::transport::cuda
