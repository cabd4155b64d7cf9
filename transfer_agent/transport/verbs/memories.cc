#include "transfer_agent/transport/verbs/memories.h"

#include <sys/random.h>

#include "common/log.h"

namespace baton::transport::verbs {
namespace {

uint64_t DrawWorker() {
  uint64_t worker = 0;
  PCHECK(getrandom(&worker, sizeof(worker), 0) == sizeof(worker));
  return (worker << 16) | (1 << 16);  // so that no memory is called 0
}

}  // namespace

Memories::Memories(bool windows) : worker_(windows ? DrawWorker() : 0) {}

absl::StatusOr<MemoryId> Memories::Export(absl::Span<const LocalRegion> regions,
                                          absl::Span<const std::unique_ptr<Rail>> rails) {
  const MemoryId id(++last_memory_);
  const uint64_t windows = worker_ == 0 ? 0 : worker_ | (id.value() & 0xffff);
  auto memory = LocalMemory::Register(regions, rails, windows);
  if (!memory.ok()) return memory.status();
  memories_.emplace(id, *std::move(memory));
  return id;
}

const LocalMemory* Memories::Find(MemoryId memory) const {
  auto it = memories_.find(memory);
  return it == memories_.end() ? nullptr : it->second.get();
}

void Memories::Forget(MemoryId memory) { memories_.erase(memory); }

std::vector<const LocalMemory*> Memories::Windowed() const {
  std::vector<const LocalMemory*> windowed;
  for (const auto& [id, memory] : memories_) {
    if (memory->windows() != 0) windowed.push_back(memory.get());
  }
  return windowed;
}

absl::StatusOr<RemoteMemoryId> Memories::Import(PeerId peer, absl::string_view key) {
  absl::StatusOr<RemoteMemory> memory = ParseMemory(key);
  if (!memory.ok()) return memory.status();
  const RemoteMemoryId id(++last_import_);
  imports_[id] = {peer, std::make_unique<RemoteMemory>(*std::move(memory))};
  return id;
}

const RemoteMemory* Memories::Remote(PeerId peer, RemoteMemoryId memory) const {
  auto it = imports_.find(memory);
  return it == imports_.end() || it->second.first != peer ? nullptr : it->second.second.get();
}

void Memories::ForgetPeer(PeerId peer) {
  absl::erase_if(imports_, [peer](const auto& e) { return e.second.first == peer; });
}

}  // namespace baton::transport::verbs
