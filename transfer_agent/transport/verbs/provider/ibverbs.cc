#include "transfer_agent/transport/verbs/provider/ibverbs.h"

#include <errno.h>

#include "transfer_agent/transport/verbs/provider/listing.h"

namespace baton::transport::verbs {
namespace {

class IbverbsProvider final : public Provider {
 public:
  absl::string_view name() const override { return "ibverbs"; }
  std::vector<PortListing> List() override { return ListPorts(); }

  ibv_context* Open(const std::string& device) override {
    ibv_device** devices = ibv_get_device_list(nullptr);
    if (devices == nullptr) return nullptr;
    ibv_context* context = nullptr;
    errno = ENODEV;
    for (ibv_device** at = devices; *at != nullptr; ++at) {
      if (device != (*at)->name) continue;
      context = ibv_open_device(*at);
      break;
    }
    const int error = errno;
    ibv_free_device_list(devices);
    errno = error;
    return context;
  }
  void Close(ibv_context* context) override { ibv_close_device(context); }

  int QueryLimits(ibv_context* context, DeviceLimits* limits) override {
    ibv_device_attr attr{};
    if (const int error = ibv_query_device(context, &attr); error != 0) return error;
    limits->sge_max = attr.max_sge;
    limits->queue_max = attr.max_qp_wr;
    limits->completions_max = attr.max_cqe;
    limits->region_bytes_max = attr.max_mr_size;
    // An optional flag: the library drops it where the kernel does not know it.
    limits->relaxed_ordering = true;
    limits->memory_windows = (attr.device_cap_flags &
                              (IBV_DEVICE_MEM_WINDOW_TYPE_2A | IBV_DEVICE_MEM_WINDOW_TYPE_2B)) != 0;
    return 0;
  }

  ibv_pd* AllocPd(ibv_context* context) override { return ibv_alloc_pd(context); }
  int DeallocPd(ibv_pd* pd) override { return ibv_dealloc_pd(pd); }
  ibv_mr* RegisterMemory(ibv_pd* pd, void* address, size_t length, uint64_t iova,
                         unsigned access) override {
    return ibv_reg_mr_iova2(pd, address, length, iova, access);
  }
  ibv_mr* RegisterDmaBuf(ibv_pd* pd, uint64_t offset, size_t length, uint64_t iova, int fd,
                         unsigned access) override {
    return ibv_reg_dmabuf_mr(pd, offset, length, iova, fd, static_cast<int>(access));
  }
  int Deregister(ibv_mr* mr) override { return ibv_dereg_mr(mr); }
  ibv_mw* AllocWindow(ibv_pd* pd) override { return ibv_alloc_mw(pd, IBV_MW_TYPE_2); }
  int FreeWindow(ibv_mw* window) override { return ibv_dealloc_mw(window); }

  ibv_comp_channel* CreateChannel(ibv_context* context) override {
    return ibv_create_comp_channel(context);
  }
  int DestroyChannel(ibv_comp_channel* channel) override {
    return ibv_destroy_comp_channel(channel);
  }
  ibv_cq* CreateCq(ibv_context* context, int entries, ibv_comp_channel* channel) override {
    return ibv_create_cq(context, entries, nullptr, channel, 0);
  }
  int DestroyCq(ibv_cq* cq) override { return ibv_destroy_cq(cq); }
  bool TakeCqEvent(ibv_comp_channel* channel) override {
    ibv_cq* cq = nullptr;
    void* context = nullptr;
    if (ibv_get_cq_event(channel, &cq, &context) != 0) return false;
    ibv_ack_cq_events(cq, 1);
    return true;
  }

  ibv_qp* CreateQp(ibv_pd* pd, ibv_qp_init_attr* attributes) override {
    return ibv_create_qp(pd, attributes);
  }
  int ModifyQp(ibv_qp* qp, ibv_qp_attr* attributes, int mask) override {
    return ibv_modify_qp(qp, attributes, mask);
  }
  int DestroyQp(ibv_qp* qp) override { return ibv_destroy_qp(qp); }

  bool TakeAsyncEvent(ibv_context* context, ibv_async_event* event) override {
    return ibv_get_async_event(context, event) == 0;
  }
  void AckAsyncEvent(ibv_async_event* event) override { ibv_ack_async_event(event); }
};

}  // namespace

std::unique_ptr<Provider> MakeIbverbsProvider() { return std::make_unique<IbverbsProvider>(); }

}  // namespace baton::transport::verbs
