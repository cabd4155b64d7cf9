// All GPUs of one worker's transport: target memory as they see it, and what they are pulling.
// Outlives the channels. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_PULL_ENGINE_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_PULL_ENGINE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "transfer_agent/transport/cuda/peer_memory.h"
#include "transfer_agent/transport/cuda/puller.h"
#include "transfer_agent/transport/stream/memory_table.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport::cuda {

// What a source says of its memory to targets: the GPUs that it is on, 16 bytes each.
std::string GpusOf(const Memory& memory);

class PullEngine {
 public:
  PullEngine(GpuTable gpus, uint32_t blocks) : gpus_(std::move(gpus)), blocks_(blocks) {}

  GpuTable* gpus() { return &gpus_; }

  // GPU regions of a target are mapped at once, so that an engine hears at its attach what is wrong
  // with them; host memory is pinned when a GPU first writes to it.
  absl::Status AddMemory(MemoryId memory, const Memory& regions);
  void RemoveMemory(MemoryId memory) { targets_.erase(memory); }

  // NO_TRANSPORT names the GPUs where the target's cannot read what `gpus` (GpusOf) names.
  absl::Status CheckReach(MemoryId target, absl::string_view gpus) const;

  // Where a pull from `lent` memory to `target` runs: on the target's GPU, else the source's.
  absl::StatusOr<Puller*> PullerFor(MemoryId target, PeerMemory* lent, uint32_t lent_memory);
  // Null: host memory that is being pinned.
  absl::StatusOr<const MappedRegions*> TargetOn(const Gpu* gpu, MemoryId target);

  void DropWindow(const void* window);
  void DropChannel(ChannelId channel);
  bool Writes(const void* window) const;
  bool Pulls(const void* window, ChannelId channel) const;
  bool idle() const;
  // Adds the bytes that landed to `counters`. False: nothing happened.
  bool Poll(Counters* counters, std::vector<ChannelId>* ready);
  // Serials of the channel's pulls that are over since the last call. An error is a GPU's: nothing
  // it had to pull is read or written any more.
  absl::StatusOr<std::vector<uint64_t>> TakeOver(ChannelId channel);

 private:
  struct Target {
    const Memory* memory = nullptr;
    Gpu* gpu = nullptr;    // of its GPU regions; null: all are in host memory
    SharedRegions on_gpu;  // mapped when it was added
    absl::flat_hash_map<const Gpu*, MappingJob> pinned;  // of host memory
  };

  GpuTable gpus_;
  const uint32_t blocks_;
  absl::flat_hash_map<MemoryId, Target> targets_;
  // Before the memory in the order of destruction: they wait until the GPU is done with it.
  std::vector<std::unique_ptr<Puller>> pullers_;
  absl::flat_hash_map<ChannelId, std::vector<uint64_t>> over_;
  std::vector<Puller::Over> just_over_;
  absl::Status failed_;
};

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_PULL_ENGINE_H_
