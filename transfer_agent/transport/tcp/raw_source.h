// A peer that speaks the frames of a tcp channel by hand: for tests of what a wrong one can do.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_TCP_RAW_SOURCE_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_TCP_RAW_SOURCE_H_

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "baton/v1/transport.pb.h"
#include "common/log.h"
#include "common/unique_fd.h"
#include "transfer_agent/transport/conformance/world.h"
#include "transfer_agent/transport/stream/frame.h"

namespace baton::transport::tcp {

inline v1::StreamAccept AcceptRaw(Transport* target, PeerId peer, ChannelId* channel) {
  v1::StreamOpen open;
  open.set_frame_version(kFrameVersion);
  absl::StatusOr<OpenedChannel> accepted = target->Accept(peer, open.SerializeAsString());
  CHECK(accepted.ok()) << accepted.status();
  *channel = accepted->id;
  v1::StreamAccept accept;
  CHECK(accept.ParseFromString(accepted->data));
  return accept;
}

inline UniqueFd Dial(const v1::StreamAccept& accept) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(accept.port());
  CHECK_EQ(inet_pton(AF_INET, accept.host().c_str(), &address.sin_addr), 1);
  CHECK_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

// An authenticated connection to the world's target.
class RawSource {
 public:
  explicit RawSource(World* world) {
    const v1::StreamAccept accept =
        AcceptRaw(world->target.transport.get(), World::kSource, &channel);
    fd_ = Dial(accept);
    Token token;
    std::memcpy(token.data(), accept.token().data(), token.size());
    FrameBuffer hello;
    EncodeHello(token, &hello);
    SendBytes(hello);
    CHECK(world->DriveOne(&world->target, [&] { return world->target.recorder.is_up(channel); }));
  }

  // Does not wait for room: a test's bytes fit into the socket. False: the target has hung up.
  bool SendBytes(absl::Span<const std::byte> bytes) {
    return send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
           static_cast<ssize_t>(bytes.size());
  }
  bool SendFrame(const Frame& frame) {
    FrameBuffer bytes;
    EncodeFrame(frame, &bytes);
    return SendBytes(bytes);
  }

  ChannelId channel;

 private:
  UniqueFd fd_;
};

// A frame with all of the room's bytes from `offset` on, and what follows it.
inline Frame RoomFrame(const Room& room, uint64_t offset, uint32_t length) {
  return {.type = FrameType::kData,
          .offer = room.offer,
          .tokens = room.tokens,
          .chunk = {.token_begin = 0, .token_end = room.tokens.total, .last = true},
          .offset = offset,
          .length = length};
}

}  // namespace baton::transport::tcp

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_TCP_RAW_SOURCE_H_
