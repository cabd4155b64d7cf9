// The services that verbs ask: the seam below which gRPC begins. Every call has a deadline.
// Thread-safe: verbs that ask many agents do so from several threads.
#ifndef BATON_CLIENT_CTL_SERVICES_H_
#define BATON_CLIENT_CTL_SERVICES_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/agent.pb.h"
#include "baton/v1/registry.pb.h"
#include "transfer_agent/checks/host.h"

namespace baton::ctl {

// What a health service says.
enum class Health { kServing, kNotServing, kUnknown };

class Services {
 public:
  virtual ~Services() = default;

  // The bootstrap service.
  virtual absl::StatusOr<v1::ListServersResponse> ListServers(
      const v1::ListServersRequest& request) = 0;
  virtual absl::StatusOr<v1::GetServerResponse> GetServer(const v1::GetServerRequest& request) = 0;
  virtual absl::StatusOr<v1::DrainResponse> Drain(const v1::DrainRequest& request) = 0;
  virtual absl::StatusOr<v1::ResolveRouteResponse> ResolveRoute(
      const v1::ResolveRouteRequest& request) = 0;
  // Hands each message to `on` until that says false, which is OK, or the stream ends.
  using OnWatch = std::function<bool(const v1::WatchResponse&)>;
  virtual absl::Status Watch(const v1::WatchRequest& request, const OnWatch& on) = 0;

  // An agent: the one at host:port `at`, or the one that the flags name where `at` is empty. An
  // agent is changed over its own socket alone.
  virtual absl::StatusOr<v1::AgentStatusResponse> AgentStatus(const std::string& at) = 0;
  virtual absl::StatusOr<v1::ListRoomsResponse> ListRooms(const std::string& at,
                                                          const v1::ListRoomsRequest& request) = 0;
  virtual absl::StatusOr<v1::TraceRoomResponse> TraceRoom(const std::string& at,
                                                          const v1::TraceRoomRequest& request) = 0;
  virtual absl::StatusOr<v1::DumpResponse> Dump(const v1::DumpRequest& request) = 0;
  virtual absl::StatusOr<v1::AbortRoomResponse> AbortRoom(const v1::AbortRoomRequest& request) = 0;
  virtual absl::StatusOr<v1::AgentDrainResponse> DrainAgent() = 0;

  // gRPC's health service at `address` ("host:port", "unix:PATH"). NOT_FOUND/CONFIG for a service
  // of which it knows nothing.
  virtual absl::StatusOr<Health> CheckHealth(const std::string& address,
                                             const std::string& service) = 0;

  // This machine. Borrowed; not thread-safe.
  virtual checks::Host* host() = 0;
};

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_SERVICES_H_
