// One connection of one stream, and who makes them: the seam below which gRPC begins. Wires are
// unreliable: they carry frames in order until they break.
//
// Read and Write have at most one call outstanding each; they do nothing on a wire that has ended.
// None of the calls calls back before it returns. OnRead, OnWritten and OnClosed come from the
// maker's threads: OnRead calls one at a time, OnWritten beside them, OnClosed once and last.
#ifndef BATON_TRANSFER_AGENT_CONTROL_WIRE_H_
#define BATON_TRANSFER_AGENT_CONTROL_WIRE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/control.pb.h"
#include "transfer_agent/control/frame_bytes.h"
#include "transfer_agent/control/priority.h"

namespace baton::control {

class Wire {
 public:
  virtual ~Wire() = default;
  // Asks for the next frame.
  virtual void Read() = 0;
  // One message: the body, then the numbers.
  virtual void Write(Body body, std::string numbers) = 0;
  // Ends the wire and tells the other end why, if it still listens.
  virtual void Close(const absl::Status& why) = 0;
  // Ends the wire though the other end may not even take its last words.
  virtual void Abort() = 0;
};

class WireEvents {
 public:
  virtual ~WireEvents() = default;
  // A frame of `bytes`, or BAD_MESSAGE for bytes that are none.
  virtual void OnRead(absl::StatusOr<v1::Frame> frame, size_t bytes) = 0;
  virtual void OnWritten() = 0;
  // The cause that the other end gave, or what broke the wire.
  virtual void OnClosed(const absl::Status& why) = 0;
};

class Wires {
 public:
  // Takes a wire that the other end opened, and says who hears of it.
  using Accept = std::function<std::shared_ptr<WireEvents>(std::shared_ptr<Wire>)>;

  virtual ~Wires() = default;
  // Listens; returns the bound host:port. SYSTEM when it cannot.
  virtual absl::StatusOr<std::string> Listen(const std::string& address, Accept accept) = 0;
  // OK, or why nobody can connect just now; `stuck` when that will not pass.
  virtual absl::Status Listening(bool* stuck) const {
    *stuck = false;
    return absl::OkStatus();
  }
  // Never null; OnClosed tells when the address cannot be reached.
  virtual std::shared_ptr<Wire> Dial(const std::string& address,
                                     std::shared_ptr<WireEvents> events) = 0;
  // Ends all wires; returns after the last OnClosed.
  virtual void Shutdown() = 0;
};

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_WIRE_H_
