// The attach server's thread: one epoll loop over the listening socket and every engine's
// connection.
#ifndef BATON_TRANSFER_AGENT_ATTACH_ATTACH_LOOP_H_
#define BATON_TRANSFER_AGENT_ATTACH_ATTACH_LOOP_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/unique_fd.h"
#include "transfer_agent/attach/attach_server.h"
#include "transfer_agent/attach/handshake.h"

namespace baton::attach {

class AttachLoop final : public AttachServer {
 public:
  AttachLoop(AttachOptions options, AttachEvents* events)
      : options_(std::move(options)), events_(events) {}
  ~AttachLoop() override { Stop(); }

  // Binds, and starts the thread.
  absl::Status Open();
  void Detach(AttachmentId id) override;
  void Stop() override;

 private:
  static constexpr uint64_t kListenerId = 1;
  static constexpr uint64_t kWakeId = 2;

  struct Connection {
    UniqueFd socket;
    // Unset once the rank is attached.
    std::unique_ptr<Handshake> handshake;
    TimePoint deadline;
    std::string name;  // of the rank, for the log
    uint64_t host_bytes = 0;
  };
  using Connections = std::map<uint64_t, Connection>;

  void RunOnLoop();
  int WaitMillisOnLoop() const;
  void AcceptOnLoop();
  void AcceptOneOnLoop(UniqueFd socket);
  void OutOfDescriptorsOnLoop(const absl::Status& cause);
  void ReadOnLoop(Connections::iterator at);
  void FinishOnLoop(Connections::iterator at);
  void RefuseOnLoop(Connections::iterator at, const absl::Status& cause);
  void CloseOnLoop(Connections::iterator at, absl::string_view why);
  void ExpireOnLoop();
  void DetachAskedOnLoop();
  uint32_t HalfOpen() const;
  uint64_t PinnedBytes() const;
  bool Watch(int fd, uint64_t id);
  void WakeLoop();

  const AttachOptions options_;
  AttachEvents* const events_;
  UniqueFd listener_;
  UniqueFd epoll_;
  UniqueFd wake_;
  UniqueFd pidfd_;
  // Held back so that an engine can still be told that there are no descriptors left.
  UniqueFd spare_;
  std::optional<TimePoint> accept_again_;
  Connections connections_;  // on the loop's thread
  uint64_t next_id_ = 16;    // below are the loop's own descriptors
  std::atomic<bool> stop_{false};
  Mutex mu_;
  std::vector<AttachmentId> to_detach_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace baton::attach

#endif  // BATON_TRANSFER_AGENT_ATTACH_ATTACH_LOOP_H_
