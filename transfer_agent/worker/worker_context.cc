#include "transfer_agent/worker/worker_context.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "client/rpc/error_detail.h"
#include "common/log.h"
#include "transfer_agent/worker/wire_ids.h"

namespace baton::worker {

void WorkerContext::CountDone(HostedRank* rank) {
  ++rooms_done;
  if (rank != nullptr) ++rank->rooms_done;
}

void WorkerContext::CountFailed(HostedRank* rank, const RoomKey& key, absl::string_view state,
                                uint64_t bytes, Duration took, const absl::Status& cause) {
  constexpr size_t kRemembered = 256;
  ++rooms_failed;
  if (rank != nullptr) ++rank->rooms_failed;
  v1::RoomStatus status;
  ToProto(key, status.mutable_room());
  if (rank != nullptr) {
    ToProto(rank->ref(), status.mutable_rank());
    status.set_role(static_cast<v1::Role>(rank->attached->role));
  }
  status.set_state("failed");
  status.set_bytes(bytes);
  status.set_age_ms(std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
  *status.mutable_cause() = ToDetail(cause);
  failed_rooms.push_back(std::move(status));
  if (failed_rooms.size() > kRemembered) failed_rooms.pop_front();
  LOG(WARNING) << "room " << ToString(key) << " failed on "
               << (rank != nullptr ? ToString(rank->ref()) : "a rank that left") << " while "
               << state << ": " << cause;
}

void WorkerContext::NotePath(PeerId peer, const transport::Transport& transport,
                             absl::string_view why) {
  const std::string path = absl::StrCat(transport.capabilities().name, " (", why, ")");
  std::string& known = paths[peer];
  if (known == path) return;
  known = path;
  auto info = peers.find(peer);
  LOG(INFO) << "pages from and to " << (info == peers.end() ? "?" : info->second.address)
            << " go by " << path;
}

}  // namespace baton::worker
