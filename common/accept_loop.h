// Accepts connections on a thread of its own and hands them on. gRPC 1.51's own loop ends for good
// at the first accept that fails for want of descriptors (CVE-2023-4785); this one goes on, and
// keeps one peer from taking what all have.
//
// No gRPC in here. Thread-safe.
#ifndef BATON_COMMON_ACCEPT_LOOP_H_
#define BATON_COMMON_ACCEPT_LOOP_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/connection_quota.h"
#include "common/self_dial.h"
#include "common/unique_fd.h"

namespace baton {

// Lets this process open as many files as it may; half of them, at most, are for connections.
// Called once, at the start.
ConnectionLimits RaiseFileLimit();
// The same without raising.
ConnectionLimits LimitsOfFiles();
// CONFIG when this process may open fewer than `least` files at once: what would come after is
// no refusal, but a library that aborts.
absl::Status CheckFileLimit(uint64_t least);

// A non-blocking listener on "host:port", on all families where the host is a wildcard. CONFIG:
// what stands in the way.
absl::StatusOr<UniqueFd> ListenTcp(const std::string& address);
// host of `address`, and the port that the listener has.
std::string BoundAddress(const std::string& address, int listener);

// Who speaks first on a new connection.
enum class First {
  kClient,
  // As HTTP/2 servers do: so the loop can dial itself and know that all the way is alive. TCP only.
  kServer,
};

class AcceptLoop {
 public:
  // `take` owns the connection: non-blocking, close-on-exec, without Nagle's delay. Not called any
  // more once Stop has returned. `name` is for the log.
  using Take = std::function<void(UniqueFd)>;
  AcceptLoop(std::string name, UniqueFd listener, ConnectionLimits limits, First first, Take take);
  ~AcceptLoop() { Stop(); }
  void Stop();

  // OK, or why no connection can be accepted: passing, as when descriptors are short, or for good.
  absl::Status health() const;
  // False: its thread is stuck, or nobody answers at its port. Only another start helps.
  bool live() const { return turning() && !deaf_; }
  uint64_t refused() const { return refused_; }

 private:
  bool turning() const;
  void Run();
  void AcceptAll(TimePoint now);
  bool Admit(const std::string& peer, TimePoint now);
  void DropOne();

  const std::string name_;
  UniqueFd listener_;
  const Take take_;
  ConnectionQuota quota_;
  UniqueFd wake_;
  // Given up for a moment when no other is left, so that who waits is told by a close.
  UniqueFd spare_;
  std::optional<SelfDial> self_dial_;
  TimePoint said_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> deaf_{false};
  std::atomic<uint64_t> refused_{0};
  std::atomic<Duration::rep> beaten_;
  std::atomic<int> failing_{0};  // errno of the latest accept
  std::thread thread_;
};

}  // namespace baton

#endif  // BATON_COMMON_ACCEPT_LOOP_H_
