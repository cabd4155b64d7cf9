// The slow path of the fake network: devices, registrations, queues.
#include "transfer_agent/transport/verbs/fake_provider/fake_net.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace baton::transport::verbs {

// The same net as every other provider of it sees.
class FakeProvider final : public Provider {
 public:
  explicit FakeProvider(FakeNet* net) : net_(net) {}

  absl::string_view name() const override { return "fake"; }
  std::vector<PortListing> List() override;
  ibv_context* Open(const std::string& device) override;
  void Close(ibv_context* context) override;
  int QueryLimits(ibv_context* context, DeviceLimits* limits) override {
    *limits = As<FakeContext>(context)->spec->limits;
    return 0;
  }
  ibv_pd* AllocPd(ibv_context* context) override;
  int DeallocPd(ibv_pd* pd) override;
  ibv_mr* RegisterMemory(ibv_pd* pd, void* address, size_t length, uint64_t iova,
                         unsigned access) override;
  ibv_mr* RegisterDmaBuf(ibv_pd* pd, uint64_t offset, size_t length, uint64_t iova, int fd,
                         unsigned access) override;
  int Deregister(ibv_mr* mr) override;
  ibv_mw* AllocWindow(ibv_pd* pd) override { return net_->AllocWindow(pd); }
  int FreeWindow(ibv_mw* window) override { return net_->FreeWindow(window); }
  ibv_comp_channel* CreateChannel(ibv_context* context) override;
  int DestroyChannel(ibv_comp_channel* channel) override;
  ibv_cq* CreateCq(ibv_context* context, int entries, ibv_comp_channel* channel) override;
  int DestroyCq(ibv_cq* cq) override;
  bool TakeCqEvent(ibv_comp_channel* channel) override;
  ibv_qp* CreateQp(ibv_pd* pd, ibv_qp_init_attr* attributes) override;
  int ModifyQp(ibv_qp* qp, ibv_qp_attr* attributes, int mask) override;
  int DestroyQp(ibv_qp* qp) override;
  bool TakeAsyncEvent(ibv_context* context, ibv_async_event* event) override;
  void AckAsyncEvent(ibv_async_event* event) override;

 private:
  static void Unmap(bool mapped, std::byte* at, size_t length);

  FakeNet* const net_;
};

void FakeNet::AddDevice(FakeDeviceSpec spec) {
  spec.port.device = spec.name;
  spec.port.active = true;
  if (spec.port.gids.empty() && !spec.port.infiniband) {
    GidListing gid{.index = 3, .bytes = {}, .type = GidType::kRoceV2, .netdev = "fake"};
    gid.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 0};
    gid.bytes[15] = static_cast<uint8_t>(devices_.size() + 1);
    spec.port.gids.push_back(gid);
  }
  devices_.push_back(std::move(spec));
}

std::unique_ptr<Provider> FakeNet::NewProvider() { return std::make_unique<FakeProvider>(this); }

void FakeNet::RaiseOn(FakeContext* context, const ibv_async_event& event) {
  context->events.push_back(event);
  eventfd_write(context->async.get(), 1);
}

void FakeNet::Raise(const std::string& device, ibv_event_type type) {
  ibv_async_event event{};
  event.event_type = type;
  event.element.port_num = 1;
  for (FakeDeviceSpec& spec : devices_) {
    spec.broken |= type == IBV_EVENT_DEVICE_FATAL && spec.name == device;
  }
  for (FakeContext* context : contexts_) {
    if (context->spec->name == device) RaiseOn(context, event);
  }
}

void FakeNet::SetPortActive(const std::string& device, bool active) {
  for (FakeDeviceSpec& spec : devices_) {
    if (spec.name == device) spec.port.active = active;
  }
  Raise(device, active ? IBV_EVENT_PORT_ACTIVE : IBV_EVENT_PORT_ERR);
}

void FakeNet::BreakQp(uint32_t number) {
  FakeQp* qp = qps_[number - kFirstQp];
  ghosts_.push_back(*qp);
  qp->base.state = IBV_QPS_ERR;
  Flush(qp);
  ibv_async_event event{};
  event.event_type = IBV_EVENT_QP_FATAL;
  event.element.qp = &qp->base;
  RaiseOn(qp->device, event);
}

void FakeNet::SetAddress(const std::string& device, const GidBytes& gid) {
  for (FakeDeviceSpec& spec : devices_) {
    if (spec.name == device) spec.port.gids[0].bytes = gid;
  }
  for (FakeContext* context : contexts_) {
    if (context->spec->name == device) context->gid = gid;
  }
  Raise(device, IBV_EVENT_GID_CHANGE);
}

std::vector<uint32_t> FakeNet::Sending() const {
  std::vector<uint32_t> numbers;
  for (const FakeQp* qp : qps_) {
    if (qp != nullptr && qp->send_head != qp->send_tail) numbers.push_back(qp->base.qp_num);
  }
  return numbers;
}

std::vector<const FakeMr*> FakeNet::Registrations() const {
  std::vector<const FakeMr*> there;
  for (const FakeMr* mr : regions_) {
    if (mr != nullptr) there.push_back(mr);
  }
  return there;
}

std::vector<uint32_t> FakeNet::QpNumbers() const {
  std::vector<uint32_t> numbers;
  for (const FakeQp* qp : qps_) {
    if (qp != nullptr) numbers.push_back(qp->base.qp_num);
  }
  return numbers;
}

std::vector<PortListing> FakeProvider::List() {
  std::vector<PortListing> ports;
  for (const FakeDeviceSpec& spec : net_->devices_) ports.push_back(spec.port);
  return ports;
}

ibv_context* FakeProvider::Open(const std::string& device) {
  for (FakeDeviceSpec& spec : net_->devices_) {
    if (spec.name != device) continue;
    if (spec.broken) break;
    auto* context = new FakeContext();
    context->base.ops.post_send = FakeNet::PostSend;
    context->base.ops.post_recv = FakeNet::PostReceive;
    context->base.ops.poll_cq = FakeNet::PollCq;
    context->base.ops.req_notify_cq = FakeNet::RequestNotify;
    context->async = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    context->base.async_fd = context->async.get();
    context->net = net_;
    context->spec = &spec;
    if (!spec.port.gids.empty()) context->gid = spec.port.gids[0].bytes;
    net_->contexts_.push_back(context);
    ++net_->objects_;
    return &context->base;
  }
  errno = EIO;
  return nullptr;
}

void FakeProvider::Close(ibv_context* context) {
  std::erase(net_->contexts_, As<FakeContext>(context));
  --net_->objects_;
  delete As<FakeContext>(context);
}

ibv_pd* FakeProvider::AllocPd(ibv_context* context) {
  ++net_->objects_;
  return new ibv_pd{.context = context, .handle = 0};
}

int FakeProvider::DeallocPd(ibv_pd* pd) {
  --net_->objects_;
  delete pd;
  return 0;
}

ibv_mr* FakeProvider::RegisterMemory(ibv_pd* pd, void* address, size_t length, uint64_t iova,
                                     unsigned access) {
  const FakeContext* context = As<FakeContext>(pd->context);
  if (context->spec->broken) {
    errno = EIO;
    return nullptr;
  }
  if (length == 0 || length > context->spec->limits.region_bytes_max) {
    errno = EINVAL;
    return nullptr;
  }
  const MutexLock lock(&net_->registering_);
  auto& regions = net_->regions_;
  const auto free = std::find(regions.begin(), regions.end(), nullptr);
  const auto at = static_cast<uint32_t>(free - regions.begin());
  if (free == regions.end()) regions.push_back(nullptr);
  auto* mr = new FakeMr();
  mr->base.context = pd->context;
  mr->base.pd = pd;
  mr->base.addr = address;
  mr->base.length = length;
  mr->base.lkey = mr->base.rkey = (at << 8) | (++net_->key_salt_ & 0xff);
  mr->at = static_cast<std::byte*>(address);
  mr->iova = iova;
  mr->access = access;
  regions[at] = mr;
  ++net_->objects_;
  return &mr->base;
}

ibv_mr* FakeProvider::RegisterDmaBuf(ibv_pd* pd, uint64_t offset, size_t length, uint64_t iova,
                                     int fd, unsigned access) {
  if (!As<FakeContext>(pd->context)->spec->dma_buf) {
    errno = EOPNOTSUPP;
    return nullptr;
  }
  // As the kernel has it: no memory windows on another device's memory.
  if ((access & IBV_ACCESS_MW_BIND) != 0) {
    errno = EINVAL;
    return nullptr;
  }
  // A memfd serves as one, so that a test sees what came; else nobody does.
  void* at =
      mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(offset));
  const bool mapped = at != MAP_FAILED;
  if (!mapped) at = new std::byte[length];
  ibv_mr* mr = RegisterMemory(pd, at, length, iova, access);
  if (mr == nullptr) {
    Unmap(mapped, static_cast<std::byte*>(at), length);
    return nullptr;
  }
  As<FakeMr>(mr)->dma_buf = true;
  As<FakeMr>(mr)->mapped = mapped;
  return mr;
}

void FakeProvider::Unmap(bool mapped, std::byte* at, size_t length) {
  if (mapped) {
    munmap(at, length);
  } else {
    delete[] at;
  }
}

int FakeProvider::Deregister(ibv_mr* base) {
  auto* mr = As<FakeMr>(base);
  if (mr->windows > 0) return EBUSY;
  net_->regions_[base->rkey >> 8] = nullptr;
  --net_->objects_;
  if (mr->dma_buf) {
    FakeNet::EmptyBus(As<FakeContext>(base->context));
    Unmap(mr->mapped, mr->at, base->length);
  }
  delete mr;
  return 0;
}

ibv_comp_channel* FakeProvider::CreateChannel(ibv_context* context) {
  auto* channel = new FakeCompChannel();
  channel->fd = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  channel->base = {.context = context, .fd = channel->fd.get(), .refcnt = 0};
  ++net_->objects_;
  return &channel->base;
}

int FakeProvider::DestroyChannel(ibv_comp_channel* channel) {
  --net_->objects_;
  delete As<FakeCompChannel>(channel);
  return 0;
}

ibv_cq* FakeProvider::CreateCq(ibv_context* context, int entries, ibv_comp_channel* channel) {
  auto* cq = new FakeCq();
  cq->base.context = context;
  cq->base.channel = channel;
  cq->base.cqe = entries;
  cq->ring.resize(entries);
  ++net_->objects_;
  return &cq->base;
}

int FakeProvider::DestroyCq(ibv_cq* cq) {
  --net_->objects_;
  delete As<FakeCq>(cq);
  return 0;
}

bool FakeProvider::TakeCqEvent(ibv_comp_channel* channel) {
  eventfd_t value = 0;
  return eventfd_read(channel->fd, &value) == 0;
}

ibv_qp* FakeProvider::CreateQp(ibv_pd* pd, ibv_qp_init_attr* attributes) {
  auto* context = As<FakeContext>(pd->context);
  const ibv_qp_cap& cap = attributes->cap;
  if (cap.max_send_wr > context->spec->limits.queue_max ||
      cap.max_send_sge > context->spec->elements_max ||
      cap.max_inline_data > context->spec->inline_max) {
    errno = EINVAL;
    return nullptr;
  }
  auto& qps = net_->qps_;
  const auto free = std::find(qps.begin(), qps.end(), nullptr);
  const auto at = static_cast<uint32_t>(free - qps.begin());
  if (free == qps.end()) qps.push_back(nullptr);
  auto* qp = new FakeQp();
  qp->base.context = pd->context;
  qp->base.pd = pd;
  qp->base.send_cq = attributes->send_cq;
  qp->base.recv_cq = attributes->recv_cq;
  qp->base.qp_num = kFirstQp + at;
  qp->base.state = IBV_QPS_RESET;
  qp->device = context;
  attributes->cap.max_inline_data = context->spec->inline_max;
  qp->cap = attributes->cap;
  qp->signal_all = attributes->sq_sig_all != 0;
  qp->sends.resize(cap.max_send_wr);
  qp->receives.resize(cap.max_recv_wr);
  qps[at] = qp;
  ++net_->objects_;
  return &qp->base;
}

int FakeProvider::ModifyQp(ibv_qp* base, ibv_qp_attr* attributes, int mask) {
  auto* qp = As<FakeQp>(base);
  if ((mask & IBV_QP_STATE) == 0) return EINVAL;
  const ibv_qp_state to = attributes->qp_state;
  const ibv_qp_state from = base->state;
  const bool forward = (to == IBV_QPS_INIT && from == IBV_QPS_RESET) ||
                       (to == IBV_QPS_RTR && from == IBV_QPS_INIT) ||
                       (to == IBV_QPS_RTS && from == IBV_QPS_RTR);
  if (!forward && to != IBV_QPS_ERR && to != IBV_QPS_RESET) return EINVAL;
  if (to == IBV_QPS_RESET && net_->faults_.keep_queue_pairs) return EIO;
  if ((mask & IBV_QP_ACCESS_FLAGS) != 0) qp->access = attributes->qp_access_flags;
  if (to == IBV_QPS_RTR) {
    std::copy_n(attributes->ah_attr.grh.dgid.raw, 16, qp->remote_gid.begin());
    qp->remote_qpn = attributes->dest_qp_num;
    qp->receive_psn = attributes->rq_psn;
  }
  if (to == IBV_QPS_RTS) {
    qp->send_psn = attributes->sq_psn;
    qp->rnr_retry = attributes->rnr_retry;
  }
  base->state = to;
  if (to == IBV_QPS_RESET) {
    qp->send_head = qp->send_tail;
    qp->receive_head = qp->receive_tail;
    qp->tries = 0;
  }
  if (to == IBV_QPS_ERR) net_->Flush(qp);
  return 0;
}

int FakeProvider::DestroyQp(ibv_qp* base) {
  auto* qp = As<FakeQp>(base);
  if (qp->windows > 0 || net_->faults_.keep_queue_pairs) return EBUSY;
  // A queue of events would keep the real call waiting for ever.
  for (const ibv_async_event& event : qp->device->events) {
    if (event.event_type == IBV_EVENT_QP_FATAL && event.element.qp == base) return EBUSY;
  }
  std::erase(net_->busy_, qp);
  net_->qps_[base->qp_num - kFirstQp] = nullptr;
  --net_->objects_;
  delete qp;
  return 0;
}

bool FakeProvider::TakeAsyncEvent(ibv_context* base, ibv_async_event* event) {
  auto* context = As<FakeContext>(base);
  if (context->events.empty()) return false;
  *event = context->events.front();
  context->events.pop_front();
  ++context->unacknowledged;
  ++net_->objects_;
  if (context->events.empty()) {
    eventfd_t value = 0;
    eventfd_read(context->async.get(), &value);
  }
  return true;
}

void FakeProvider::AckAsyncEvent(ibv_async_event*) { --net_->objects_; }

}  // namespace baton::transport::verbs
