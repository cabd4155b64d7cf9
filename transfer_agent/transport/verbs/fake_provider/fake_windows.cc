// Memory windows of the fake network.
#include <errno.h>

#include <algorithm>

#include "transfer_agent/transport/verbs/fake_provider/fake_net.h"

namespace baton::transport::verbs {

ibv_mw* FakeNet::AllocWindow(ibv_pd* pd) {
  if (!As<FakeContext>(pd->context)->spec->limits.memory_windows) {
    errno = EOPNOTSUPP;
    return nullptr;
  }
  const auto free = std::find(windows_.begin(), windows_.end(), nullptr);
  const auto at = static_cast<uint32_t>(free - windows_.begin());
  if (free == windows_.end()) windows_.push_back(nullptr);
  auto* window = new FakeMw();
  window->base = {.context = pd->context,
                  .pd = pd,
                  .rkey = ((kFirstWindow + at) << 8) | (++key_salt_ & 0xff),
                  .handle = 0,
                  .type = IBV_MW_TYPE_2};
  windows_[at] = window;
  ++objects_;
  return &window->base;
}

int FakeNet::FreeWindow(ibv_mw* base) {
  auto* window = As<FakeMw>(base);
  if (window->mr != nullptr) {
    Unbind(window, qps_[window->queue_pair - kFirstQp]);
  }
  windows_[(base->rkey >> 8) - kFirstWindow] = nullptr;
  --objects_;
  delete window;
  return 0;
}

FakeMw* FakeNet::FindWindow(uint32_t key) {
  const uint32_t at = (key >> 8) - kFirstWindow;
  FakeMw* window = at < windows_.size() ? windows_[at] : nullptr;
  return window != nullptr && window->base.rkey == key ? window : nullptr;
}

void FakeNet::Unbind(FakeMw* window, FakeQp* qp) {
  --window->mr->windows;
  --qp->windows;
  window->mr = nullptr;
}

ibv_wc_status FakeNet::BindWindow(FakeQp* qp, const FakeSend& send) {
  FakeMw* window = send.window;
  auto* mr = As<FakeMr>(send.bind.mr);
  // A new key differs from the last one in its lower 8 bits, and in no other.
  const uint32_t change = send.key ^ window->base.rkey;
  if (window->mr != nullptr || change == 0 || change > 0xff) return IBV_WC_MW_BIND_ERR;
  if (window->base.pd != qp->base.pd || mr->base.pd != qp->base.pd) return IBV_WC_MW_BIND_ERR;
  const unsigned needed = IBV_ACCESS_MW_BIND | IBV_ACCESS_LOCAL_WRITE;
  // As mlx5 has it: not more than 2 GiB.
  if ((mr->access & needed) != needed || send.bind.length == 0 || send.bind.length > 1ull << 31 ||
      mr->Resolve(send.bind.addr, send.bind.length) == nullptr) {
    return IBV_WC_MW_BIND_ERR;
  }
  window->base.rkey = send.key;
  window->mr = mr;
  window->queue_pair = qp->base.qp_num;
  window->address = send.bind.addr;
  window->length = send.bind.length;
  window->access = send.bind.mw_access_flags;
  ++mr->windows;
  ++qp->windows;
  return IBV_WC_SUCCESS;
}

ibv_wc_status FakeNet::RunLocal(FakeQp* qp, const FakeSend& send) {
  if (send.opcode == IBV_WR_BIND_MW) return BindWindow(qp, send);
  FakeMw* window = FindWindow(send.key);
  if (window == nullptr || window->mr == nullptr || window->queue_pair != qp->base.qp_num) {
    return IBV_WC_LOC_QP_OP_ERR;
  }
  Unbind(window, qp);
  return IBV_WC_SUCCESS;
}

ibv_wc_status FakeNet::FindTarget(FakeQp* peer, const FakeSend& send, uint64_t bytes, bool* dma_buf,
                                  std::byte** out) {
  const FakeMr* mr = FindMr(send.key);
  const FakeMw* window = FindWindow(send.key);
  if (window != nullptr) {
    // Good for what comes through the queue pair that bound it.
    if (window->queue_pair != peer->base.qp_num ||
        (window->access & IBV_ACCESS_REMOTE_WRITE) == 0) {
      return IBV_WC_REM_ACCESS_ERR;
    }
    mr = window->mr;
    *out = window->Resolve(send.remote, bytes);
  } else if (mr != nullptr && (mr->access & IBV_ACCESS_REMOTE_WRITE) != 0) {
    *out = mr->Resolve(send.remote, bytes);
  }
  if (mr == nullptr || mr->base.pd != peer->base.pd || *out == nullptr) {
    return IBV_WC_REM_ACCESS_ERR;
  }
  *dma_buf = mr->dma_buf;
  return IBV_WC_SUCCESS;
}

}  // namespace baton::transport::verbs
