#include "bench/fake_device.h"

#include <algorithm>

#include "common/log.h"

namespace baton::bench {

using transport::verbs::FakeNet;
using transport::verbs::PortListing;

FakeDevice::FakeDevice(FakeNet* net, uint64_t bytes) : provider_(net->NewProvider()) {
  const PortListing port = provider_->List().front();
  gid_ = port.gids.front().bytes;
  context_ = provider_->Open(port.device);
  CHECK(context_ != nullptr);
  pd_ = provider_->AllocPd(context_);
  wakeups_ = provider_->CreateChannel(context_);
  Make(&source_, bytes);
  Make(&target_, bytes);
  Connect(source_, target_);
  Connect(target_, source_);
}

FakeDevice::~FakeDevice() {
  for (const End* end : {&source_, &target_}) {
    provider_->DestroyQp(end->qp);
    provider_->DestroyCq(end->cq);
    provider_->Deregister(end->mr);
  }
  provider_->DestroyChannel(wakeups_);
  provider_->DeallocPd(pd_);
  provider_->Close(context_);
}

void FakeDevice::Make(End* end, uint64_t bytes) {
  end->memory.resize(bytes);
  end->mr = provider_->RegisterMemory(pd_, end->memory.data(), bytes, 0,
                                      IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
  end->cq = provider_->CreateCq(context_, 2 * kQueue, wakeups_);
  ibv_qp_init_attr attributes{};
  attributes.send_cq = attributes.recv_cq = end->cq;
  attributes.qp_type = IBV_QPT_RC;
  attributes.cap = {.max_send_wr = kQueue,
                    .max_recv_wr = 1,
                    .max_send_sge = 1,
                    .max_recv_sge = 1,
                    .max_inline_data = 0};
  end->qp = provider_->CreateQp(pd_, &attributes);
  CHECK(end->mr != nullptr && end->cq != nullptr && end->qp != nullptr);
}

void FakeDevice::Connect(const End& end, const End& peer) {
  ibv_qp_attr attributes{};
  attributes.qp_access_flags = IBV_ACCESS_REMOTE_WRITE;
  std::copy(gid_.begin(), gid_.end(), attributes.ah_attr.grh.dgid.raw);
  attributes.dest_qp_num = peer.qp->qp_num;
  attributes.rnr_retry = 3;
  for (ibv_qp_state state : {IBV_QPS_INIT, IBV_QPS_RTR, IBV_QPS_RTS}) {
    attributes.qp_state = state;
    const int mask = IBV_QP_STATE | (state == IBV_QPS_INIT ? IBV_QP_ACCESS_FLAGS : 0);
    CHECK_EQ(provider_->ModifyQp(end.qp, &attributes, mask), 0);
  }
}

void FakeDevice::Write(const std::vector<uint64_t>& from, const std::vector<uint64_t>& to,
                       uint32_t bytes, uint64_t count, uint32_t chain) {
  std::vector<ibv_send_wr> requests(chain);
  std::vector<ibv_sge> elements(chain);
  for (uint32_t i = 0; i < chain; ++i) {
    requests[i] = {};
    requests[i].next = i + 1 < chain ? &requests[i + 1] : nullptr;
    requests[i].sg_list = &elements[i];
    requests[i].num_sge = 1;
    requests[i].opcode = IBV_WR_RDMA_WRITE;
    requests[i].wr.rdma.rkey = target_.mr->rkey;
    elements[i].lkey = source_.mr->lkey;
    elements[i].length = bytes;
  }
  requests.back().send_flags = IBV_SEND_SIGNALED;
  uint64_t under_way = 0;
  for (uint64_t done = 0, posted = 0; done < count;) {
    while (posted < count && under_way + chain <= kQueue) {
      for (uint32_t i = 0; i < chain; ++i, ++posted) {
        elements[i].addr = from[posted % from.size()];
        requests[i].wr.rdma.remote_addr = to[posted % to.size()];
      }
      ibv_send_wr* bad = nullptr;
      CHECK_EQ(ibv_post_send(source_.qp, requests.data(), &bad), 0);
      under_way += chain;
    }
    ibv_wc completions[32];
    const int n = ibv_poll_cq(source_.cq, 32, completions);
    for (int i = 0; i < n; ++i) CHECK_EQ(completions[i].status, IBV_WC_SUCCESS);
    done += uint64_t{chain} * n;
    under_way -= uint64_t{chain} * n;
  }
}

}  // namespace baton::bench
