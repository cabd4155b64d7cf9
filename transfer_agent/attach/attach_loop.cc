#include "transfer_agent/attach/attach_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "common/shm_abi/attach_limits.h"
#include "common/unix_socket.h"
#include "transfer_agent/attach/memlock.h"

namespace baton::attach {
namespace {

constexpr auto kAcceptPause = std::chrono::milliseconds(100);

absl::Status SendAnswer(int socket, const AttachAnswer& answer) {
  std::vector<int> fds;
  for (const UniqueFd& fd : answer.fds) fds.push_back(fd.get());
  return SendPacket(socket, answer.packet, fds);
}

}  // namespace

bool AttachLoop::Watch(int fd, uint64_t id) {
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLRDHUP;
  event.data.u64 = id;
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

uint32_t AttachLoop::HalfOpen() const {
  uint32_t count = 0;
  for (const auto& [id, connection] : connections_) count += connection.handshake != nullptr;
  return count;
}

uint64_t AttachLoop::PinnedBytes() const {
  uint64_t bytes = 0;
  for (const auto& [id, connection] : connections_) bytes += connection.host_bytes;
  return bytes;
}

void AttachLoop::RunOnLoop() {
  while (!stop_.load()) {
    epoll_event events[32];
    int count = epoll_wait(epoll_.get(), events, 32, WaitMillisOnLoop());
    for (int i = 0; i < count && !stop_.load(); ++i) {
      uint64_t id = events[i].data.u64;
      if (id == kWakeId) {
        uint64_t ignored;
        (void)!read(wake_.get(), &ignored, sizeof(ignored));
      } else if (id == kListenerId) {
        AcceptOnLoop();
      } else if (auto at = connections_.find(id); at != connections_.end()) {
        ReadOnLoop(at);
      }
    }
    if (stop_.load()) break;
    DetachAskedOnLoop();
    ExpireOnLoop();
  }
}

int AttachLoop::WaitMillisOnLoop() const {
  uint32_t wait = 60000;
  const TimePoint now = Monotonic::now();
  for (const auto& [id, connection] : connections_) {
    if (connection.handshake != nullptr) wait = MillisLeft(connection.deadline, now, wait);
  }
  if (accept_again_.has_value()) wait = MillisLeft(*accept_again_, now, wait);
  return static_cast<int>(wait);
}

void AttachLoop::AcceptOnLoop() {
  while (true) {
    absl::StatusOr<UniqueFd> socket = AcceptSeqPacket(listener_.get());
    if (!socket.ok()) return OutOfDescriptorsOnLoop(socket.status());
    if (!*socket) return;
    AcceptOneOnLoop(*std::move(socket));
  }
}

void AttachLoop::AcceptOneOnLoop(UniqueFd socket) {
  absl::Status refused;
  if (HalfOpen() >= options_.half_open_max) {
    refused = Error(Reason::kFull,
                    absl::StrCat(options_.half_open_max, " engines are attaching at this moment"));
  } else if (connections_.size() - HalfOpen() >= options_.ranks_max) {
    refused = Error(Reason::kTooLarge, absl::StrCat("the agent has its ", options_.ranks_max,
                                                    " ranks: raise ranks_max"));
  }
  uint64_t id = next_id_++;
  if (refused.ok() && !Watch(socket.get(), id)) refused = SystemError("epoll_ctl", errno);
  if (!refused.ok()) {
    LOG(WARNING) << "attach: engine of process " << PeerPid(socket.get())
                 << " refused: " << refused.message();
    return SendAnswer(socket.get(), Refusal(refused, options_.version)).IgnoreError();
  }
  Connection& connection = connections_[id];
  connection.socket = std::move(socket);
  HandshakeLimits limits{options_.pool_bytes_max, std::nullopt};
  if (options_.pins_host_memory) limits.pinnable_bytes = PinnableBytes(PinnedBytes());
  connection.handshake = std::make_unique<Handshake>(limits);
  connection.deadline = Monotonic::now() + options_.handshake_timeout;
}

// Level-triggered accept would spin, and the engine would wait in the dark: it is told, with the
// one descriptor that was held back, and then the listener rests a moment.
void AttachLoop::OutOfDescriptorsOnLoop(const absl::Status& cause) {
  LOG(WARNING) << "attach: " << cause.message() << " (raise RLIMIT_NOFILE of the agent)";
  spare_.Reset();
  absl::StatusOr<UniqueFd> socket = AcceptSeqPacket(listener_.get());
  if (socket.ok() && *socket) {
    absl::Status out =
        Error(Reason::kSystem, absl::StrCat("the agent has no descriptors left (", cause.message(),
                                            "): raise its RLIMIT_NOFILE"));
    SendAnswer(socket->get(), Refusal(out, options_.version)).IgnoreError();
  }
  socket = UniqueFd();
  spare_.Reset(eventfd(0, EFD_CLOEXEC));
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr);
  accept_again_ = Monotonic::now() + kAcceptPause;
}

void AttachLoop::ReadOnLoop(Connections::iterator at) {
  Connection& connection = at->second;
  size_t fds_max = shm_abi::kRegionsPerPacketMax;
  auto packet = ReceivePacket(connection.socket.get(), shm_abi::kAttachPacketMax, fds_max);
  if (!packet.ok()) return CloseOnLoop(at, packet.status().message());
  if (!packet->has_value()) return;
  if ((*packet)->end) return CloseOnLoop(at, "the engine closed its connection");
  if (connection.handshake == nullptr) {
    return CloseOnLoop(at, "the engine sent a packet after it was attached");
  }
  absl::StatusOr<bool> complete = connection.handshake->Take(**std::move(packet));
  if (!complete.ok()) return RefuseOnLoop(at, complete.status());
  if (*complete) FinishOnLoop(at);
}

void AttachLoop::FinishOnLoop(Connections::iterator at) {
  Connection& connection = at->second;
  absl::StatusOr<Accepted> accepted =
      connection.handshake->Finish(options_.epoch, options_.version, pidfd_.get());
  if (!accepted.ok()) return RefuseOnLoop(at, accepted.status());
  UniqueFd copy(fcntl(connection.socket.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return RefuseOnLoop(at, SystemError("duplicating a connection", errno));
  auto link = std::make_shared<ConnectionEnd::Link>(std::move(copy));
  AttachedRank& rank = *accepted->rank;
  rank.connection = ConnectionEnd(link);
  rank.id = AttachmentId(at->first);
  rank.engine_pid = PeerPid(connection.socket.get());
  connection.name = ToString(rank.rank);
  std::string what = absl::StrCat(ToString(rank.role), " engine of process ", rank.engine_pid, ", ",
                                  rank.regions.size(), " regions, ", rank.table->slots(), " slots");
  absl::Status taken = events_->OnAttach(std::move(accepted->rank));
  if (!taken.ok()) return RefuseOnLoop(at, taken);
  LOG(INFO) << "attach: " << connection.name << " " << what;
  connection.host_bytes = connection.handshake->host_bytes();
  connection.handshake.reset();
  absl::Status sent = SendAnswer(connection.socket.get(), accepted->answer);
  link->Answered();
  if (!sent.ok()) CloseOnLoop(at, sent.message());
}

void AttachLoop::RefuseOnLoop(Connections::iterator at, const absl::Status& cause) {
  Connection& connection = at->second;
  std::optional<RankRef> rank = RankOf(cause);
  if (!rank.has_value()) rank = connection.handshake->rank();
  std::string who = rank.has_value() ? ToString(*rank) : "an unknown rank";
  LOG(WARNING) << "attach: " << who << " of process " << PeerPid(connection.socket.get())
               << " refused: " << ReasonName(ReasonOf(cause)) << ": " << cause.message();
  absl::Status named = cause;
  if (rank.has_value()) named = Error(ReasonOf(cause), cause.message(), *rank);
  // An engine that is gone or does not read needs no answer.
  SendAnswer(connection.socket.get(), Refusal(named, options_.version)).IgnoreError();
  connections_.erase(at);
}

void AttachLoop::CloseOnLoop(Connections::iterator at, absl::string_view why) {
  Connection& connection = at->second;
  bool attached = connection.handshake == nullptr;
  if (attached) {
    LOG(INFO) << "attach: " << connection.name << " detached: " << why;
    shutdown(connection.socket.get(), SHUT_RDWR);
  }
  AttachmentId id(at->first);
  connections_.erase(at);
  if (attached) events_->OnDetach(id);
}

void AttachLoop::ExpireOnLoop() {
  const TimePoint now = Monotonic::now();
  if (accept_again_.has_value() && *accept_again_ <= now) {
    accept_again_.reset();
    if (!Watch(listener_.get(), kListenerId)) accept_again_ = now + kAcceptPause;
  }
  for (auto at = connections_.begin(); at != connections_.end();) {
    auto next = std::next(at);
    if (at->second.handshake != nullptr && at->second.deadline <= now) {
      RefuseOnLoop(at, Error(Reason::kDeadline,
                             absl::StrCat("the engine did not hand everything over within ",
                                          options_.handshake_timeout.count(), " ms")));
    }
    at = next;
  }
}

void AttachLoop::DetachAskedOnLoop() {
  std::vector<AttachmentId> ids;
  {
    MutexLock lock(&mu_);
    ids.swap(to_detach_);
  }
  for (AttachmentId id : ids) {
    auto at = connections_.find(id.value());
    if (at != connections_.end()) CloseOnLoop(at, "the agent ended the attachment");
  }
}

}  // namespace baton::attach
