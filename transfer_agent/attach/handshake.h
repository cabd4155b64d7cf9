// One engine's attachment, from its first packet to the answer. No threads, no sockets: packets in,
// an AttachedRank or a refusal out.
#ifndef BATON_TRANSFER_AGENT_ATTACH_HANDSHAKE_H_
#define BATON_TRANSFER_AGENT_ATTACH_HANDSHAKE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/attach.pb.h"
#include "common/unix_socket.h"
#include "transfer_agent/attach/attach_request.h"
#include "transfer_agent/attach/attached_rank.h"

namespace baton::attach {

struct HandshakeLimits {
  uint64_t pool_bytes_max = 0;
  // Bytes of host pools this process may still pin; unset: nothing is pinned.
  std::optional<uint64_t> pinnable_bytes;
};

// What the engine gets when it is accepted, ready to send.
struct AttachAnswer {
  std::string packet;
  std::vector<UniqueFd> fds;
};

struct Accepted {
  std::unique_ptr<AttachedRank> rank;  // without connection, id and engine_pid
  AttachAnswer answer;
};

class Handshake {
 public:
  explicit Handshake(HandshakeLimits limits) : limits_(limits) {}

  // Takes the engine's next packet. True: all is here, call Finish. An error is a refusal; it names
  // the rank as soon as the rank is known.
  absl::StatusOr<bool> Take(Packet packet);

  // Checks the layout against the regions and makes ring, table and doorbell. `agent_pidfd` is
  // borrowed. Once.
  absl::StatusOr<Accepted> Finish(Epoch epoch, const std::string& version, int agent_pidfd);

  // Bytes of the host pools taken so far.
  uint64_t host_bytes() const { return host_bytes_; }

  // For the log, and for causes: unset until the first packet has been understood.
  std::optional<RankRef> rank() const;

 private:
  absl::Status TakePacket(Packet packet);
  absl::Status TakeRegions(Packet packet);
  // With the next of its descriptors.
  absl::Status TakeRegion(const v1::Region& region, std::vector<UniqueFd>* fds, size_t* used);
  absl::Status CheckPool(uint64_t size, bool dma_buf) const;
  absl::StatusOr<Accepted> Build(Epoch epoch, const std::string& version, int agent_pidfd);
  void MoveTo(AttachedRank* rank);
  absl::Status Named(const absl::Status& status) const;

  const HandshakeLimits limits_;
  std::optional<AttachRequest> request_;
  std::vector<MappedRegion> regions_;
  uint64_t pool_bytes_ = 0;
  uint64_t host_bytes_ = 0;
};

// The answer to an engine that is not taken in.
AttachAnswer Refusal(const absl::Status& cause, const std::string& version);

}  // namespace baton::attach

#endif  // BATON_TRANSFER_AGENT_ATTACH_HANDSHAKE_H_
