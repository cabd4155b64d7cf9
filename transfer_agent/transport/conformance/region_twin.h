// Memory of a region that the host cannot address, beside the host's copy of it.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_REGION_TWIN_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_REGION_TWIN_H_

#include <cstddef>
#include <cstdint>

namespace baton::transport {

class RegionTwin {
 public:
  virtual ~RegionTwin() = default;
  // Copies `size` bytes at `offset` of the region from the host's copy, or into it.
  virtual void Push(const std::byte* from, uint64_t offset, uint64_t size) = 0;
  virtual void Fetch(std::byte* to, uint64_t offset, uint64_t size) = 0;
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CONFORMANCE_REGION_TWIN_H_
