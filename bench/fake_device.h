// Two connected queue pairs on a fake device and the memory of both ends, driven by hand: what the
// device itself costs, for benches that must take it off.
#ifndef BATON_BENCH_FAKE_DEVICE_H_
#define BATON_BENCH_FAKE_DEVICE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "transfer_agent/transport/verbs/fake_provider/fake_net.h"
#include "transfer_agent/transport/verbs/verbs.h"

namespace baton::bench {

// Thread-compatible. Whatever goes wrong is fatal.
class FakeDevice {
 public:
  static constexpr uint32_t kQueue = 512;

  // Of `net`, which has one device; `bytes` of memory on each end.
  FakeDevice(transport::verbs::FakeNet* net, uint64_t bytes);
  ~FakeDevice();
  FakeDevice(const FakeDevice&) = delete;
  FakeDevice& operator=(const FakeDevice&) = delete;

  // `count` writes of `bytes` each, from the source offsets to the target offsets of the same index
  // (modulo their number), in chains of `chain` of which the last is signalled. Returns when the
  // last has completed.
  void Write(const std::vector<uint64_t>& from, const std::vector<uint64_t>& to, uint32_t bytes,
             uint64_t count, uint32_t chain);

 private:
  struct End {
    std::vector<std::byte> memory;
    ibv_mr* mr = nullptr;
    ibv_cq* cq = nullptr;
    ibv_qp* qp = nullptr;
  };
  void Make(End* end, uint64_t bytes);
  void Connect(const End& end, const End& peer);

  std::unique_ptr<transport::verbs::Provider> provider_;
  transport::verbs::GidBytes gid_{};
  ibv_context* context_ = nullptr;
  ibv_pd* pd_ = nullptr;
  ibv_comp_channel* wakeups_ = nullptr;
  End source_;
  End target_;
};

}  // namespace baton::bench

#endif  // BATON_BENCH_FAKE_DEVICE_H_
