// Unix sockets of type SEQPACKET: packets with file descriptors beside them (SCM_RIGHTS). And
// listeners of type STREAM, for gRPC.
//
// All sockets are non-blocking and close-on-exec; nothing here waits. Plain functions, thread-safe.
#ifndef BATON_COMMON_UNIX_SOCKET_H_
#define BATON_COMMON_UNIX_SOCKET_H_

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/unique_fd.h"

namespace baton {

// The kernel carries at most 253 descriptors with one packet.
inline constexpr size_t kPacketFdsMax = 253;

// Listens at `path`, whose permissions are `mode` from the first moment, whatever the umask is. A
// socket file that nobody listens on is replaced; CONFIG when somebody does, when the path is too
// long (107 bytes) or its folder cannot be written.
absl::StatusOr<UniqueFd> ListenSeqPacket(const std::string& path, int backlog, mode_t mode = 0600);
// The same for connections that carry a stream.
absl::StatusOr<UniqueFd> ListenStream(const std::string& path, int backlog, mode_t mode = 0600);

// UNAVAILABLE while nobody listens there (yet): worth another try. CONFIG for a path that cannot
// be.
absl::StatusOr<UniqueFd> ConnectSeqPacket(const std::string& path);

// The next connection, or an fd of -1 when none waits. EMFILE and the like are SYSTEM.
absl::StatusOr<UniqueFd> AcceptSeqPacket(int listener);

// OK, UNAVAILABLE when the socket's buffer is full (wait for POLLOUT), PEER_LOST when the other end
// is gone, TOO_LARGE when one packet cannot hold `bytes`.
absl::Status SendPacket(int fd, absl::string_view bytes, absl::Span<const int> fds);

struct Packet {
  std::string bytes;
  std::vector<UniqueFd> fds;
  bool end = false;        // the other end has closed; nothing else is set
  bool truncated = false;  // the packet was longer than bytes_max
  bool fds_lost = false;   // descriptors were dropped: too many, or this process may open no more
};

// The next packet, nullopt when none waits, PEER_LOST after a reset. `bytes_max` bounds what is
// read.
absl::StatusOr<std::optional<Packet>> ReceivePacket(int fd, size_t bytes_max, size_t fds_max);

// Of the process that connected. 0 when the kernel cannot name it here (another pid namespace).
pid_t PeerPid(int fd);

}  // namespace baton

#endif  // BATON_COMMON_UNIX_SOCKET_H_
