// The work requests that are built and not posted: one call, one doorbell, the last one signalled.
// Allocates nothing after the constructor. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_SEND_CHAIN_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_SEND_CHAIN_H_

#include <errno.h>
#include <infiniband/verbs.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace baton::transport::verbs {

// Work requests of one chain.
inline constexpr uint32_t kChainMax = 64;

class SendChain {
 public:
  // `gather`: elements of each.
  explicit SendChain(uint32_t gather)
      : requests_(kChainMax), elements_(size_t{kChainMax} * gather) {
    for (uint32_t i = 0; i < kChainMax; ++i) {
      requests_[i].next = i + 1 < kChainMax ? &requests_[i + 1] : nullptr;
      requests_[i].sg_list = &elements_[size_t{i} * gather];
    }
  }

  bool empty() const { return count_ == 0; }
  bool takes_more() const { return count_ < kChainMax && !stuck_; }
  // The next one, with its sg_list: a write without elements. takes_more().
  ibv_send_wr& Add(uint64_t id) {
    ibv_send_wr& wr = requests_[count_++];
    wr.wr_id = id;
    wr.opcode = IBV_WR_RDMA_WRITE;
    wr.send_flags = 0;
    wr.num_sge = 0;
    return wr;
  }
  // 0 or an error number. A send queue that is full is no error: what is left goes with the next
  // call, and nothing is added before.
  int Post(ibv_qp* qp) {
    ibv_send_wr& last = requests_[count_ - 1];
    ibv_send_wr* const next = last.next;
    last.next = nullptr;
    last.send_flags |= IBV_SEND_SIGNALED;
    ibv_send_wr* bad = nullptr;
    const int error = ibv_post_send(qp, &requests_[first_], &bad);
    last.next = next;
    stuck_ = error == ENOMEM && bad != nullptr;
    if (stuck_) first_ = static_cast<uint32_t>(bad - requests_.data());
    if (error == 0) count_ = first_ = 0;
    return stuck_ ? 0 : error;
  }

 private:
  std::vector<ibv_send_wr> requests_;
  std::vector<ibv_sge> elements_;
  uint32_t count_ = 0;
  uint32_t first_ = 0;  // those before it are posted
  bool stuck_ = false;  // the device took a part of the chain
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_SEND_CHAIN_H_
