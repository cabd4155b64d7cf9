#include "transfer_agent/transport/cuda/pull_engine.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::transport::cuda {
namespace {

absl::StatusOr<SharedRegions> MapTarget(const Gpu* gpu, const std::vector<LocalRegion>& regions) {
  auto mapped = std::make_shared<MappedRegions>();
  for (const LocalRegion& region : regions) {
    absl::StatusOr<DeviceMapping> mapping =
        region.dma_buf
            ? DeviceMapping::OfShare(gpu, region.share, region.size, GpuAccess::kReadWrite)
            : DeviceMapping::OfHost(gpu, region.base, region.size, GpuAccess::kReadWrite);
    if (!mapping.ok()) return mapping.status();
    mapped->Add(*std::move(mapping));
  }
  return SharedRegions(std::move(mapped));
}

}  // namespace

std::string GpusOf(const Memory& memory) {
  std::string gpus;
  for (const LocalRegion& region : memory.regions) {
    const auto& device = region.share.device;
    const absl::string_view one(reinterpret_cast<const char*>(device.data()), device.size());
    if (region.dma_buf && !absl::EndsWith(gpus, one)) absl::StrAppend(&gpus, one);
  }
  return gpus;
}

absl::Status PullEngine::CheckReach(MemoryId target, absl::string_view gpus) const {
  auto it = targets_.find(target);
  if (it == targets_.end()) return absl::NotFoundError("cuda: the window's memory is gone");
  std::array<unsigned char, 16> gpu;
  if (gpus.size() % gpu.size() != 0) {
    return Error(Reason::kBadMessage, "cuda: the source names no whole GPUs");
  }
  for (; !gpus.empty(); gpus.remove_prefix(gpu.size())) {
    std::memcpy(gpu.data(), gpus.data(), gpu.size());
    absl::Status s = gpus_.CheckPeer(it->second.gpu, gpu);
    if (!s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status PullEngine::AddMemory(MemoryId memory, const Memory& regions) {
  // A source's memory is lent as it is: the target's agent maps it.
  if (regions.regions.empty() || !regions.regions.front().target) return absl::OkStatus();
  Target target;
  target.memory = &regions;
  for (size_t i = 0; i < regions.regions.size(); ++i) {
    const LocalRegion& region = regions.regions[i];
    if (!region.dma_buf) continue;
    absl::StatusOr<Gpu*> gpu = gpus_.Find(region.share.device);
    if (!gpu.ok()) return gpu.status();
    if (target.gpu != nullptr && target.gpu != *gpu) {
      return Error(Reason::kBadRegion,
                   absl::StrCat("region ", i, " is on another GPU than those before it"));
    }
    target.gpu = *gpu;
  }
  if (target.gpu != nullptr) {
    absl::StatusOr<SharedRegions> mapped = MapTarget(target.gpu, regions.regions);
    if (!mapped.ok()) return mapped.status();
    target.on_gpu = *std::move(mapped);
  }
  targets_[memory] = std::move(target);
  return absl::OkStatus();
}

absl::StatusOr<Puller*> PullEngine::PullerFor(MemoryId target, PeerMemory* lent,
                                              uint32_t lent_memory) {
  auto it = targets_.find(target);
  if (it == targets_.end()) return absl::NotFoundError("cuda: the window's memory is gone");
  const Gpu* gpu = it->second.gpu;
  if (gpu == nullptr) {
    absl::StatusOr<Gpu*> at_source = lent->GpuOf(lent_memory);
    if (at_source.ok() && *at_source == nullptr) at_source = gpus_.First();
    if (!at_source.ok()) return at_source.status();
    gpu = *at_source;
  }
  for (const auto& puller : pullers_) {
    if (puller->gpu() == gpu) return puller.get();
  }
  absl::StatusOr<std::unique_ptr<Puller>> made = Puller::Create(gpu, blocks_);
  if (!made.ok()) return made.status();
  pullers_.push_back(*std::move(made));
  return pullers_.back().get();
}

absl::StatusOr<const MappedRegions*> PullEngine::TargetOn(const Gpu* gpu, MemoryId memory) {
  auto it = targets_.find(memory);
  if (it == targets_.end()) return absl::NotFoundError("cuda: the window's memory is gone");
  if (it->second.on_gpu != nullptr) return it->second.on_gpu.get();
  absl::StatusOr<SharedRegions> pinned = it->second.pinned[gpu].Get([&] {
    return [gpu, regions = it->second.memory->regions] { return MapTarget(gpu, regions); };
  });
  if (!pinned.ok()) return pinned.status();
  return pinned->get();
}

void PullEngine::DropWindow(const void* window) {
  for (auto& puller : pullers_) puller->DropWindow(window);
}

void PullEngine::DropChannel(ChannelId channel) {
  for (auto& puller : pullers_) puller->DropChannel(channel);
  over_.erase(channel);
}

bool PullEngine::Writes(const void* window) const {
  return std::any_of(pullers_.begin(), pullers_.end(),
                     [window](const auto& puller) { return puller->Writes(window); });
}

bool PullEngine::Pulls(const void* window, ChannelId channel) const {
  return std::any_of(pullers_.begin(), pullers_.end(),
                     [&](const auto& puller) { return puller->Pulls(window, channel); });
}

bool PullEngine::idle() const {
  return std::all_of(pullers_.begin(), pullers_.end(),
                     [](const auto& puller) { return puller->idle(); });
}

bool PullEngine::Poll(Counters* counters, std::vector<ChannelId>* ready) {
  just_over_.clear();
  uint64_t landed = 0;
  for (auto& puller : pullers_) {
    if (absl::Status s = puller->Poll(&just_over_, &landed); !s.ok()) failed_ = s;
  }
  counters->bytes_landed += landed;
  for (const Puller::Over& over : just_over_) {
    over_[over.channel].push_back(over.serial);
    ready->push_back(over.channel);
  }
  return landed > 0 || !just_over_.empty();
}

absl::StatusOr<std::vector<uint64_t>> PullEngine::TakeOver(ChannelId channel) {
  if (!failed_.ok()) return failed_;
  auto node = over_.extract(channel);
  if (node.empty()) return std::vector<uint64_t>();
  return std::move(node.mapped());
}

}  // namespace baton::transport::cuda
