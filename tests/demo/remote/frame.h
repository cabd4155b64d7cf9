// What demo_host and demo_remote say to each other over TCP: one byte of kind, four of length, the
// bytes. For tests between hosts that trust each other. Plain functions; both block for at most
// the socket's own timeouts.
#ifndef BATON_TESTS_DEMO_REMOTE_FRAME_H_
#define BATON_TESTS_DEMO_REMOTE_FRAME_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/unique_fd.h"

namespace baton::demo {

enum class FrameKind : char {
  kRun = 'R',     // to the host: the command line, one '\0' after each word
  kQuit = 'Q',    // to the host: end, once every program has
  kPacket = 'P',  // either way: a packet of descriptor 3
  kOutput = 'O',  // from the host: what the program printed
  kExit = 'X',    // from the host: the program's exit status in decimal
};

struct Frame {
  FrameKind kind = FrameKind::kOutput;
  std::string bytes;
};

inline constexpr size_t kFrameMax = 1 << 20;

// PEER_LOST when the other end is gone, DEADLINE when it does not read.
absl::Status SendFrame(int fd, FrameKind kind, absl::string_view bytes);

// The next whole frame. PEER_LOST at the end of the stream, BAD_MESSAGE for what is no frame.
absl::StatusOr<Frame> ReceiveFrame(int fd);

// Words to bytes and back.
std::string JoinWords(const std::vector<std::string>& words);
std::vector<std::string> SplitWords(absl::string_view bytes);

// "10.0.0.1:7000", numeric. Both sockets are closed on exec and give up a send or a receive that
// has begun after 20 s.
absl::StatusOr<UniqueFd> ListenOn(const std::string& address);
// Tries for 20 s: the host may not be up yet.
absl::StatusOr<UniqueFd> DialHost(const std::string& address);
// "10.0.0.1:41234": where a listener is.
absl::StatusOr<std::string> AddressOf(int listener);
void SetTimeouts(int fd);

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_REMOTE_FRAME_H_
