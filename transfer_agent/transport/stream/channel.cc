#include "transfer_agent/transport/stream/channel.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/reason.h"

namespace baton::transport {
namespace {

// 0: the connection stands.
int ConnectError(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  if (error != 0) return error;
  sockaddr_storage peer;
  size = sizeof(peer);
  return getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 ? 0 : errno;
}

// A fresh connection takes one header at once: anything else is a failure.
absl::Status SendWhole(int fd, const FrameBuffer& bytes) {
  const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n == static_cast<ssize_t>(bytes.size())) return absl::OkStatus();
  return Error(Reason::kTransport, "greeting: the new connection takes no bytes");
}

absl::StatusOr<bool> ReadWelcome(Channel* channel) {
  FrameBuffer& bytes = channel->greeting;
  size_t& filled = channel->greeting_filled;
  const ssize_t n = recv(channel->fd.get(), bytes.data() + filled, bytes.size() - filled, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n < 0) return Error(Reason::kTransport, SystemError("greeting", errno).message());
  if (n == 0) return Error(Reason::kPeerRefused, "the target closed the connection unwelcomed");
  filled += n;
  if (filled < bytes.size()) return false;
  absl::StatusOr<Frame> frame = ParseFrame(bytes);
  if (!frame.ok()) return frame.status();
  if (frame->type != FrameType::kWelcome) {
    return Error(Reason::kBadMessage, "greeting: the answer is not a welcome");
  }
  channel->machine.Advance(ChannelEvent::kWelcomed);
  return true;
}

}  // namespace

absl::StatusOr<bool> AdvanceHandshake(Channel* channel) {
  if (channel->machine.state() == ChannelState::kConnecting) {
    const int error = ConnectError(channel->fd.get());
    if (error == ENOTCONN || error == EINPROGRESS) return false;
    if (error != 0) return Error(Reason::kTransport, SystemError("connect", error).message());
    FrameBuffer hello;
    EncodeHello(channel->token, &hello);
    absl::Status sent = SendWhole(channel->fd.get(), hello);
    if (!sent.ok()) return sent;
    channel->machine.Advance(ChannelEvent::kConnected);
  }
  if (channel->machine.state() == ChannelState::kGreeting) return ReadWelcome(channel);
  return false;
}

absl::Status Welcome(int fd) {
  FrameBuffer bytes;
  EncodeFrame(Frame{.type = FrameType::kWelcome, .offer = {}, .tokens = {}, .chunk = {}}, &bytes);
  return SendWhole(fd, bytes);
}

}  // namespace baton::transport
