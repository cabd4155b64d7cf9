#include "transfer_agent/transport/shm/peer_memory.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::transport::shm {

absl::Status PeerMemory::Add(uint32_t memory, absl::Span<const uint64_t> sizes,
                             absl::Span<const UniqueFd> fds) {
  if (memories_.contains(memory)) {
    return Error(Reason::kBadMessage, absl::StrCat("shm: memory ", memory, " was lent already"));
  }
  if (memories_.size() == kMemoriesPerChannelMax) {
    return Error(Reason::kTooLarge,
                 absl::StrCat("shm: more than ", kMemoriesPerChannelMax, " memories lent"));
  }
  if (sizes.size() != fds.size()) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("shm: ", sizes.size(), " regions with ", fds.size(), " descriptors"));
  }
  std::vector<Mapping> mappings;
  for (size_t i = 0; i < sizes.size(); ++i) {
    absl::Status sealed = CheckSealed(fds[i].get(), sizes[i]);
    if (!sealed.ok()) return sealed;
    absl::StatusOr<Mapping> mapping = MapShared(fds[i].get(), sizes[i], Access::kRead);
    if (!mapping.ok()) return mapping.status();
    mappings.push_back(*std::move(mapping));
  }
  memories_.emplace(memory, std::move(mappings));
  return absl::OkStatus();
}

absl::StatusOr<absl::Span<const absl::Span<const std::byte>>> PeerMemory::Resolve(
    uint32_t memory, absl::Span<const RunRecord> runs, uint64_t length) {
  auto it = memories_.find(memory);
  if (it == memories_.end()) {
    return Error(Reason::kBadMessage, absl::StrCat("shm: memory ", memory, " was not lent"));
  }
  pieces_.clear();
  uint64_t left = length;
  for (const RunRecord& run : runs) {
    if (run.region >= it->second.size()) {
      return Error(Reason::kBadMessage, absl::StrCat("shm: region ", run.region, " was not lent"));
    }
    const Mapping& region = it->second[run.region];
    if (run.length == 0 || run.offset > region.bytes() ||
        run.length > region.bytes() - run.offset) {
      return Error(Reason::kBadMessage,
                   absl::StrCat("shm: ", run.length, " bytes at ", run.offset, " of region ",
                                run.region, ", which has ", region.bytes()));
    }
    if (run.length > left) break;
    left -= run.length;
    pieces_.emplace_back(region.base() + run.offset, run.length);
  }
  if (left > 0 || pieces_.size() != runs.size()) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("shm: the runs do not make up ", length, " bytes"));
  }
  return absl::MakeConstSpan(pieces_);
}

}  // namespace baton::transport::shm
