// A peer server as an engine sees it: asked for once, then looked at as often as it likes.
#ifndef BATON_CLIENT_ENGINE_PEER_H_
#define BATON_CLIENT_ENGINE_PEER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "common/ids.h"

namespace baton {

// Names a peer that this client watches. Never valid again after ForgetPeer.
struct PeerHandle {
  uint32_t peer = 0;
  uint32_t generation = 0;
};

enum class PeerPhase : uint8_t {
  kUnanswered,    // the agent has not said yet, or is gone: its next start is asked again
  kUnknown,       // no server of that name or alias is registered
  kNotReady,      // it is, and `why` says what is missing
  kReady,         // a room opened now would be offered (decode), or could be (prefill)
  kIncompatible,  // a room with it would fail, of `why`
  kClosed,        // the handle is not valid
};

struct PeerStatus {
  PeerPhase phase = PeerPhase::kClosed;
  // An operator takes the server out of use. Rooms with it still work.
  bool draining = false;
  // From kNotReady on:
  uint32_t dp_size = 0;
  std::string server;  // its own name, where an alias was asked for
  Incarnation incarnation;
  // Reason, rank and text; OK when ready.
  absl::Status why;
};

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_PEER_H_
