// One region of an engine's pools as the agent holds it.
#ifndef BATON_TRANSFER_AGENT_ATTACH_MAPPED_REGION_H_
#define BATON_TRANSFER_AGENT_ATTACH_MAPPED_REGION_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "common/device_share.h"
#include "common/ids.h"
#include "common/unique_fd.h"

namespace baton::attach {

// A region as mapped by the agent; unmapped with its owner. Prefill pools are mapped read-only.
class MappedRegion {
 public:
  MappedRegion(UniqueFd fd, std::byte* base, uint64_t size, bool dma_buf)
      : fd_(std::move(fd)), base_(base), size_(size), dma_buf_(dma_buf) {}
  MappedRegion(MappedRegion&& other) noexcept;
  MappedRegion& operator=(MappedRegion&&) = delete;
  ~MappedRegion();

  int fd() const { return fd_.get(); }       // -1: GPU memory without a dma-buf
  std::byte* base() const { return base_; }  // null for a dma-buf
  uint64_t size() const { return size_; }
  bool dma_buf() const { return dma_buf_; }
  // Of GPU memory; fd() may be -1 then.
  const DeviceShare& share() const { return share_; }
  // `allocation` is the descriptor that the share names, if it names one.
  void SetShare(const DeviceShare& share, UniqueFd allocation);

 private:
  UniqueFd fd_;
  std::byte* base_;
  uint64_t size_;
  bool dma_buf_;
  DeviceShare share_;
  UniqueFd allocation_;
};

// Checks a descriptor that an engine handed over, and maps it unless it is a dma-buf. BAD_REGION
// says what is wrong with it, SYSTEM what this process is short of. GPU memory may come without.
absl::StatusOr<MappedRegion> MapRegion(UniqueFd fd, uint64_t size, bool dma_buf, Role role);

}  // namespace baton::attach

#endif  // BATON_TRANSFER_AGENT_ATTACH_MAPPED_REGION_H_
