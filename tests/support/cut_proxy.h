// A TCP proxy on loopback that misbehaves on request: cuts connections, stalls them, delays bytes.
// For tests of what stands on TCP where the kernel offers no fault injection. One seed, one choice
// of where to cut.
//
//   CutProxy proxy("127.0.0.1:7100", /*seed=*/1);
//   Dial(proxy.address());
//   proxy.SetFaults({.cut_after_bytes = 100000});
//
// Thread-safe. One thread; at most 256 KiB wait in each direction of a connection.
#ifndef BATON_TESTS_SUPPORT_CUT_PROXY_H_
#define BATON_TESTS_SUPPORT_CUT_PROXY_H_

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <list>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "common/mutex.h"
#include "common/unique_fd.h"
#include "tests/support/proxied_connection.h"

namespace baton {

class CutProxy {
 public:
  struct Counters {
    uint64_t connections = 0;
    uint64_t cuts = 0;
    uint64_t bytes = 0;
  };

  // Listens on a free port of 127.0.0.1; `target` is "127.0.0.1:port".
  CutProxy(const std::string& target, uint64_t seed);
  ~CutProxy();

  std::string address() const { return address_; }
  // Of all connections, from now on.
  void SetFaults(const ProxyFaults& faults);
  // Resets every connection that is open now. Returns when it is done.
  void CutAll();
  Counters counters() const;

 private:
  void Run();
  void Wake();
  void Accept();
  void Serve(const std::vector<pollfd>& ready);
  std::vector<pollfd> PollSet(int* timeout_ms);

  const uint16_t target_port_;
  std::string address_;
  UniqueFd listener_;
  UniqueFd wake_;
  std::mt19937_64 random_;                    // of the thread
  std::list<ProxiedConnection> connections_;  // of the thread
  ProxyFaults current_;                       // of the thread

  mutable Mutex mu_;
  CondVar cut_;
  ProxyFaults faults_ ABSL_GUARDED_BY(mu_);
  Counters counters_ ABSL_GUARDED_BY(mu_);
  bool cut_all_ ABSL_GUARDED_BY(mu_) = false;
  bool stop_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace baton

#endif  // BATON_TESTS_SUPPORT_CUT_PROXY_H_
