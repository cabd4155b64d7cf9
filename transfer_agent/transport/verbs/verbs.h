// The seam between the verbs transport and a device: provider/ibverbs.h is the real one,
// fake_provider/fake_net.h one in memory.
//
// The hot path has no seam of its own. ibv_post_send, ibv_post_recv, ibv_poll_cq and
// ibv_req_notify_cq are inline functions of <infiniband/verbs.h> that jump through the table of
// the ibv_context; a fake context has a table of its own. So a call costs one indirect jump, which
// the library pays anyway, and nothing here needs libibverbs at link time. Everything else is slow
// and virtual, each method one call of the library with its conventions: null or -1 with errno, or
// an error number.
//
// Threads: a context and all that is made from it belong to one thread, but that memory may be
// registered by several at once.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_VERBS_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_VERBS_H_

#include <infiniband/verbs.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace baton::transport::verbs {

using GidBytes = std::array<uint8_t, 16>;

enum class GidType : uint8_t { kInfiniband, kRoceV1, kRoceV2 };

struct GidListing {
  uint32_t index = 0;
  GidBytes bytes{};
  GidType type = GidType::kInfiniband;
  // Of RoCE; empty: the interface is not in this network namespace.
  std::string netdev;
};

// One port of one device, usable or not.
struct PortListing {
  std::string device;
  uint32_t port = 1;
  bool active = false;
  bool infiniband = false;
  uint32_t lid = 0;
  uint32_t mtu_bytes = 1024;
  std::vector<GidListing> gids;
  // Where the device is: path in sysfs from the root of its PCI domain; empty when it is on none.
  std::string pci_path;
  int numa_node = -1;
  // Set when the device could not even be asked.
  std::string error;
};

struct DeviceLimits {
  uint32_t sge_max = 1;
  uint32_t queue_max = 1;
  uint32_t completions_max = 1;
  uint64_t region_bytes_max = 0;
  uint64_t message_bytes_max = 1u << 30;
  bool relaxed_ordering = false;
  bool memory_windows = false;  // of type 2
};

class Provider {
 public:
  virtual ~Provider() = default;
  // "ibverbs", "fake".
  virtual absl::string_view name() const = 0;
  virtual std::vector<PortListing> List() = 0;

  virtual ibv_context* Open(const std::string& device) = 0;
  virtual void Close(ibv_context* context) = 0;
  virtual int QueryLimits(ibv_context* context, DeviceLimits* limits) = 0;

  virtual ibv_pd* AllocPd(ibv_context* context) = 0;
  virtual int DeallocPd(ibv_pd* pd) = 0;
  // Addresses of the registration begin at `iova`.
  virtual ibv_mr* RegisterMemory(ibv_pd* pd, void* address, size_t length, uint64_t iova,
                                 unsigned access) = 0;
  virtual ibv_mr* RegisterDmaBuf(ibv_pd* pd, uint64_t offset, size_t length, uint64_t iova, int fd,
                                 unsigned access) = 0;
  virtual int Deregister(ibv_mr* mr) = 0;
  // Of type 2: bound and invalidated by work requests of one queue pair, which alone it serves.
  virtual ibv_mw* AllocWindow(ibv_pd* pd) = 0;
  // Ends its binding too.
  virtual int FreeWindow(ibv_mw* window) = 0;

  virtual ibv_comp_channel* CreateChannel(ibv_context* context) = 0;
  virtual int DestroyChannel(ibv_comp_channel* channel) = 0;
  virtual ibv_cq* CreateCq(ibv_context* context, int entries, ibv_comp_channel* channel) = 0;
  virtual int DestroyCq(ibv_cq* cq) = 0;
  // Takes and acknowledges one wake-up; false when there is none.
  virtual bool TakeCqEvent(ibv_comp_channel* channel) = 0;

  virtual ibv_qp* CreateQp(ibv_pd* pd, ibv_qp_init_attr* attributes) = 0;
  virtual int ModifyQp(ibv_qp* qp, ibv_qp_attr* attributes, int mask) = 0;
  virtual int DestroyQp(ibv_qp* qp) = 0;

  // Takes one; false when there is none. Each one taken must be acknowledged.
  virtual bool TakeAsyncEvent(ibv_context* context, ibv_async_event* event) = 0;
  virtual void AckAsyncEvent(ibv_async_event* event) = 0;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_VERBS_H_
