// What a worker that sleeps is woken by: descriptors of devices, and a timer. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_WAKEUPS_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_WAKEUPS_H_

#include <optional>

#include "absl/status/status.h"
#include "common/clock.h"
#include "common/unique_fd.h"

namespace baton::transport::verbs {

class Wakeups {
 public:
  Wakeups();
  absl::Status Open();
  // Readable when one that is watched is, or when the timer has rung.
  int fd() const { return epoll_.get(); }
  absl::Status Watch(int fd);

  // No earlier than in a millisecond; without a time never.
  void SetTimer(std::optional<TimePoint> at);
  bool TakeTimer();

 private:
  UniqueFd epoll_;
  UniqueFd timer_;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_WAKEUPS_H_
