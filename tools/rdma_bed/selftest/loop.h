// Two reliable connected queue pairs of one verbs device, connected with each other.
//
// For the bed's own tests: it asks of the device what any verbs program asks, and takes no short
// way. Not thread-safe. A failure of the device is a CHECK-like abort with the call's name, as
// nothing sensible can be tested after it.
//
//   Loop loop("rxe0", 1 << 20);
//   loop.Post(loop.Write(0, 4096));
//   EXPECT_EQ(loop.AwaitSent().status, IBV_WC_SUCCESS);
#ifndef BATON_TOOLS_RDMA_BED_SELFTEST_LOOP_H_
#define BATON_TOOLS_RDMA_BED_SELFTEST_LOOP_H_

#include <infiniband/verbs.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace baton::bed {

// The names of the devices that libibverbs lists, in its order.
std::vector<std::string> DeviceNames();

class Loop {
 public:
  // Each side gets a buffer of `bytes`, zeroed, on a page's boundary and registered whole. At most
  // `depth` sends and as many receives are under way.
  Loop(const std::string& device, size_t bytes, uint32_t depth = 64);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  uint8_t* source() { return source_.buffer.get(); }
  uint8_t* target() { return target_.buffer.get(); }
  ibv_context* context() { return context_; }
  ibv_cq* source_cq() { return source_.cq; }
  ibv_mr* target_mr() { return target_.mr; }
  ibv_pd* pd() { return pd_; }
  ibv_qp* target_qp() { return target_.qp; }
  const ibv_port_attr& port() const { return port_; }

  // A signalled write of `bytes` from the source's buffer to the same offset of the target's.
  struct Request {
    ibv_sge sge{};
    ibv_send_wr wr{};
  };
  Request Write(size_t offset, uint32_t bytes) { return Write(offset, offset, bytes); }
  Request Write(size_t from, size_t to, uint32_t bytes);

  // Posts on the source's queue pair.
  void Post(Request request);
  // All with one call, in this order.
  void PostChain(std::vector<Request>* requests);
  // A receive without a buffer, for one immediate.
  void PostReceive();

  // The next completion; one with status IBV_WC_GENERAL_ERR and wr_id ~0 when none came in 20 s.
  ibv_wc AwaitSent() { return Await(source_.cq); }
  ibv_wc AwaitReceived() { return Await(target_.cq); }

 private:
  struct Side {
    std::unique_ptr<uint8_t, decltype(&std::free)> buffer{nullptr, &std::free};
    ibv_cq* cq = nullptr;
    ibv_qp* qp = nullptr;
    ibv_mr* mr = nullptr;
  };
  void Open(const std::string& device);
  void MakeSide(size_t bytes, Side* side);
  void Connect(const Side& side, const Side& peer);
  static ibv_wc Await(ibv_cq* cq);

  const uint32_t depth_;
  ibv_context* context_ = nullptr;
  ibv_pd* pd_ = nullptr;
  ibv_port_attr port_{};
  uint8_t gid_index_ = 0;
  ibv_gid gid_{};
  Side source_;
  Side target_;
};

}  // namespace baton::bed

#endif  // BATON_TOOLS_RDMA_BED_SELFTEST_LOOP_H_
