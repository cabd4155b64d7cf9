// What tcp and shm do each in their own way; stream_transport.h does the rest.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_STREAM_PATH_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_STREAM_PATH_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "baton/v1/transport.pb.h"
#include "common/unique_fd.h"
#include "transfer_agent/transport/stream/event_queue.h"
#include "transfer_agent/transport/stream/memory_table.h"
#include "transfer_agent/transport/stream/window_table.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport {

// kMore: the budget of one call is used up. kBlocked: the next edge of the socket, or the next
// Submit, brings new work.
enum class Pumped : uint8_t { kBlocked, kMore };

// Edges seen on the socket since the last Pump.
struct Edges {
  bool readable = false;
  bool writable = false;
  // End of stream or error: read on until it shows.
  bool hangup = false;
};

// What a link shares with its transport. All outlive it.
struct LinkContext {
  ChannelId channel;
  PeerId peer;
  bool checksums = false;
  const MemoryTable* memories = nullptr;
  WindowTable* windows = nullptr;
  EventQueue* events = nullptr;
  Counters* counters = nullptr;
};

// The sending end of a channel. Takes segments before it has a socket.
class SourceLink {
 public:
  virtual ~SourceLink() = default;
  virtual Submitted Submit(Segment segment) = 0;
  virtual void Cancel(OfferId offer) = 0;
  // Ends what is left with `cause`. The socket is closed or about to be.
  virtual void Abandon(const absl::Status& cause) = 0;
  virtual void ForgetMemory(MemoryId memory) = 0;
  // What the two sides agreed on, before the first Pump.
  virtual void SetChecksums(bool checksums) = 0;
  // The socket stays the caller's. An error ends the channel.
  virtual absl::StatusOr<Pumped> Pump(int fd, Edges edges) = 0;
};

// The receiving end.
class TargetLink {
 public:
  virtual ~TargetLink() = default;
  // The window closed or broke: nothing may be written to it from here on.
  virtual void DropWindow(const OpenedWindow* window) = 0;
  virtual absl::StatusOr<Pumped> Pump(int fd, Edges edges) = 0;
};

class Path {
 public:
  virtual ~Path() = default;
  virtual const Capabilities& capabilities() const = 0;
  // A listening, non-blocking socket.
  virtual absl::StatusOr<UniqueFd> Listen() = 0;
  // Prepares a connection that was accepted.
  virtual absl::Status Adopt(int fd) = 0;
  virtual void FillOpen(v1::StreamOpen* open) const = 0;
  virtual absl::Status CheckOpen(const v1::StreamOpen& open) const = 0;
  // How a peer reaches the listening socket.
  virtual void FillAccept(v1::StreamAccept* accept) const = 0;
  // A non-blocking socket that is connected or about to be.
  virtual absl::StatusOr<UniqueFd> Connect(const v1::StreamAccept& accept) = 0;
  // What a hosted rank must satisfy besides being mapped.
  virtual absl::Status CheckMemory(absl::Span<const LocalRegion> regions) const = 0;
  // The memory is exported, under this number; an error takes that back. Until Forgotten.
  virtual absl::Status Exported(MemoryId, const Memory&) { return absl::OkStatus(); }
  virtual void Forgotten(MemoryId) {}
  // As Transport's.
  virtual void PrepareMemory(absl::Span<const LocalRegion>) {}
  virtual std::string KeyOf(const Memory&) const { return ""; }
  virtual absl::Status CheckReach(MemoryId, absl::string_view) { return absl::OkStatus(); }

  // For a path that lands bytes by something other than this thread. Goes on with that, and adds
  // the channels that have something to do because of it. False: nothing happened.
  virtual bool Progress(std::vector<ChannelId>* /*ready*/) { return false; }
  // False: Progress may have something to do without any edge.
  virtual bool CanSleep() const { return true; }
  // Something of it may still be written, though no more is begun after DropWindow.
  virtual bool Writes(const OpenedWindow*) const { return false; }

  virtual std::unique_ptr<SourceLink> NewSource(const LinkContext& context) = 0;
  virtual std::unique_ptr<TargetLink> NewTarget(const LinkContext& context) = 0;
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_STREAM_PATH_H_
