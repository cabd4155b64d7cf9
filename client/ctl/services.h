// The services that verbs ask: the seam below which gRPC begins. Every call has a deadline.
#ifndef BATON_CLIENT_CTL_SERVICES_H_
#define BATON_CLIENT_CTL_SERVICES_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/agent.pb.h"
#include "baton/v1/registry.pb.h"

namespace baton::ctl {

class Services {
 public:
  virtual ~Services() = default;

  // The bootstrap service.
  virtual absl::StatusOr<v1::ListServersResponse> ListServers(
      const v1::ListServersRequest& request) = 0;
  virtual absl::StatusOr<v1::GetServerResponse> GetServer(const v1::GetServerRequest& request) = 0;
  // Hands each message to `on` until that says false, which is OK, or the stream ends.
  using OnWatch = std::function<bool(const v1::WatchResponse&)>;
  virtual absl::Status Watch(const v1::WatchRequest& request, const OnWatch& on) = 0;

  // The agent of this pod.
  virtual absl::StatusOr<v1::AgentStatusResponse> AgentStatus() = 0;
  virtual absl::StatusOr<v1::ListRoomsResponse> ListRooms(const v1::ListRoomsRequest& request) = 0;
  virtual absl::StatusOr<v1::AbortRoomResponse> AbortRoom(const v1::AbortRoomRequest& request) = 0;
};

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_SERVICES_H_
