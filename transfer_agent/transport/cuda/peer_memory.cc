#include "transfer_agent/transport/cuda/peer_memory.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/memfd.h"
#include "common/reason.h"

namespace baton::transport::cuda {
namespace {

// As for shm: ranks of one worker, with room for restarts.
constexpr size_t kMemoriesPerChannelMax = 256;

absl::Status MapOne(const GpuTable& gpus, const Gpu* gpu, const MemoryRecord& record, int fd,
                    MappedRegions* out) {
  absl::StatusOr<DeviceShare> share = ToShare(record, fd);
  if (!share.ok()) return share.status();
  absl::StatusOr<DeviceMapping> mapping = DeviceMapping();
  if (share->kind != DeviceShare::Kind::kNone) {
    absl::Status reach = gpus.CheckPeer(gpu, share->device);
    if (!reach.ok()) return reach;
    mapping = DeviceMapping::OfShare(gpu, *share, record.size, GpuAccess::kRead);
  } else {
    absl::Status sealed = CheckSealed(fd, record.size);
    if (!sealed.ok()) return sealed;
    absl::StatusOr<Mapping> host = MapShared(fd, record.size, Access::kRead);
    if (!host.ok()) return host.status();
    out->host.push_back(*std::move(host));
    mapping = DeviceMapping::OfHost(gpu, out->host.back().base(), record.size, GpuAccess::kRead);
  }
  if (!mapping.ok()) return mapping.status();
  out->Add(*std::move(mapping));
  return absl::OkStatus();
}

absl::StatusOr<SharedRegions> MapAll(const GpuTable& gpus, const Gpu* gpu,
                                     const std::vector<MemoryRecord>& records,
                                     const std::vector<int>& fds) {
  auto regions = std::make_shared<MappedRegions>();
  for (size_t i = 0; i < records.size(); ++i) {
    absl::Status s = MapOne(gpus, gpu, records[i], fds[i], regions.get());
    if (!s.ok()) return s;
  }
  return SharedRegions(std::move(regions));
}

}  // namespace

absl::Status PeerMemory::Add(uint32_t memory, absl::Span<const MemoryRecord> records,
                             std::vector<UniqueFd> fds) {
  if (memories_.contains(memory)) {
    return Error(Reason::kBadMessage, absl::StrCat("cuda: memory ", memory, " was lent already"));
  }
  if (memories_.size() == kMemoriesPerChannelMax) {
    return Error(Reason::kTooLarge,
                 absl::StrCat("cuda: more than ", kMemoriesPerChannelMax, " memories lent"));
  }
  Lent lent;
  size_t used = 0;
  for (const MemoryRecord& record : records) {
    lent.records.push_back(record);
    if (!record.has_descriptor()) {
      lent.fds.emplace_back();
    } else if (used < fds.size()) {
      lent.fds.push_back(std::move(fds[used++]));
    } else {
      return Error(Reason::kBadMessage, "cuda: a region came without its descriptor");
    }
  }
  memories_.emplace(memory, std::move(lent));
  return absl::OkStatus();
}

absl::StatusOr<PeerMemory::Lent*> PeerMemory::Find(uint32_t memory) {
  auto it = memories_.find(memory);
  if (it != memories_.end()) return &it->second;
  return Error(Reason::kBadMessage, absl::StrCat("cuda: memory ", memory, " was not lent"));
}

absl::StatusOr<Gpu*> PeerMemory::GpuOf(uint32_t memory) {
  absl::StatusOr<Lent*> lent = Find(memory);
  if (!lent.ok()) return lent.status();
  for (const MemoryRecord& record : (*lent)->records) {
    absl::StatusOr<DeviceShare> share = ToShare(record, -1);
    if (!share.ok()) return share.status();
    if (share->kind != DeviceShare::Kind::kNone) return gpus_->Find(share->device);
  }
  return nullptr;
}

absl::StatusOr<SharedRegions> PeerMemory::On(const Gpu* gpu, uint32_t memory) {
  absl::StatusOr<Lent*> lent = Find(memory);
  if (!lent.ok()) return lent.status();
  return (*lent)->mapped[gpu].Get([&] {
    // By value: the table of memories moves what it has.
    std::vector<int> fds;
    for (const UniqueFd& fd : (*lent)->fds) fds.push_back(fd.get());
    return [gpus = gpus_, gpu, records = (*lent)->records, fds = std::move(fds)] {
      return MapAll(*gpus, gpu, records, fds);
    };
  });
}

}  // namespace baton::transport::cuda
