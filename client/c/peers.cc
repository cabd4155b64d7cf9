// baton_peer.h
#include "client/c/baton_peer.h"
#include "client/c/client_handle.h"
#include "client/c/values.h"

namespace {

static_assert(BATON_PEER_UNANSWERED == static_cast<int>(baton::PeerPhase::kUnanswered));
static_assert(BATON_PEER_UNKNOWN == static_cast<int>(baton::PeerPhase::kUnknown));
static_assert(BATON_PEER_NOT_READY == static_cast<int>(baton::PeerPhase::kNotReady));
static_assert(BATON_PEER_READY == static_cast<int>(baton::PeerPhase::kReady));
static_assert(BATON_PEER_INCOMPATIBLE == static_cast<int>(baton::PeerPhase::kIncompatible));
static_assert(BATON_PEER_CLOSED == static_cast<int>(baton::PeerPhase::kClosed));

}  // namespace

extern "C" {

baton_code baton_watch_peer(baton_client* client, const char* server, baton_peer* peer,
                            baton_error* error) {
  absl::StatusOr<baton::PeerHandle> watched = client->engine->WatchPeer(baton::c::Text(server));
  if (!watched.ok()) return baton::c::Fail(watched.status(), error);
  *peer = {watched->peer, watched->generation};
  return BATON_OK;
}

baton_code baton_look_at_peer(const baton_client* client, baton_peer peer,
                              baton_peer_status* status, baton_error* why) {
  const baton::PeerStatus seen = client->engine->LookAtPeer({peer.peer, peer.generation});
  baton_peer_status value{};
  value.struct_size = status->struct_size;
  value.phase = static_cast<uint8_t>(seen.phase);
  value.draining = seen.draining ? 1 : 0;
  value.dp_size = seen.dp_size;
  value.incarnation = seen.incarnation.value();
  baton::c::CopyText(seen.server, value.server, sizeof(value.server));
  std::memcpy(status, &value, std::min<size_t>(status->struct_size, sizeof(value)));
  return baton::c::Fail(seen.why, why);
}

void baton_forget_peer(baton_client* client, baton_peer peer) {
  client->engine->ForgetPeer({peer.peer, peer.generation});
}

}  // extern "C"
