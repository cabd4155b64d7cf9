// Services that answer what a test puts in, and keep what they were asked.
#ifndef BATON_CLIENT_CTL_FAKE_SERVICES_H_
#define BATON_CLIENT_CTL_FAKE_SERVICES_H_

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "client/ctl/services.h"
#include "common/mutex.h"
#include "common/reason.h"
#include "transfer_agent/checks/fake_host.h"

namespace baton::ctl {

// What a test sets; outlives the services that a run makes of it.
struct FakeAnswers {
  absl::Status status;  // not OK: every call fails with it
  v1::ListServersResponse servers;
  v1::GetServerResponse server;
  v1::ResolveRouteResponse route;
  // One list of messages for each time that a watch is begun; then the stream breaks.
  std::vector<std::vector<v1::WatchResponse>> watches;
  // By address; "" is the agent of the flags. One that is not here does not answer.
  std::map<std::string, v1::AgentStatusResponse> agents = {{"", {}}};
  std::map<std::string, v1::ListRoomsResponse> rooms = {{"", {}}};
  std::map<std::string, v1::TraceRoomResponse> traces = {{"", {}}};
  v1::DumpResponse dump;
  v1::AbortRoomResponse abort;
  // One for each call; the last one stays.
  std::vector<uint32_t> rooms_while_draining = {0};
  Health health = Health::kServing;
  checks::FakeHost host;

  v1::ListServersRequest asked_servers;
  v1::GetServerRequest asked_server;
  v1::DrainRequest asked_drain;
  v1::ResolveRouteRequest asked_route;
  v1::WatchRequest asked_watch;
  v1::ListRoomsRequest asked_rooms;
  v1::TraceRoomRequest asked_trace;
  v1::DumpRequest asked_dump;
  v1::AbortRoomRequest asked_abort;
  std::string asked_health;
  size_t watches_begun = 0;
  size_t drains = 0;
};

class FakeServices : public Services {
 public:
  explicit FakeServices(FakeAnswers* answers) : a_(answers) {}

  absl::StatusOr<v1::ListServersResponse> ListServers(
      const v1::ListServersRequest& request) override {
    a_->asked_servers = request;
    return Answer(a_->servers);
  }
  absl::StatusOr<v1::GetServerResponse> GetServer(const v1::GetServerRequest& request) override {
    a_->asked_server = request;
    return Answer(a_->server);
  }
  absl::StatusOr<v1::DrainResponse> Drain(const v1::DrainRequest& request) override {
    a_->asked_drain = request;
    return Answer(v1::DrainResponse());
  }
  absl::StatusOr<v1::ResolveRouteResponse> ResolveRoute(
      const v1::ResolveRouteRequest& request) override {
    a_->asked_route = request;
    return Answer(a_->route);
  }
  absl::Status Watch(const v1::WatchRequest& request, const OnWatch& on) override {
    a_->asked_watch = request;
    if (a_->watches_begun < a_->watches.size()) {
      for (const v1::WatchResponse& message : a_->watches[a_->watches_begun++]) {
        if (!on(message)) return absl::OkStatus();
      }
    }
    return Error(Reason::kPeerLost, "the watch broke");
  }
  absl::StatusOr<v1::AgentStatusResponse> AgentStatus(const std::string& at) override {
    return Of(a_->agents, at);
  }
  absl::StatusOr<v1::ListRoomsResponse> ListRooms(const std::string& at,
                                                  const v1::ListRoomsRequest& request) override {
    MutexLock lock(&mu_);
    a_->asked_rooms = request;
    return Of(a_->rooms, at);
  }
  absl::StatusOr<v1::TraceRoomResponse> TraceRoom(const std::string& at,
                                                  const v1::TraceRoomRequest& request) override {
    MutexLock lock(&mu_);
    a_->asked_trace = request;
    return Of(a_->traces, at);
  }
  absl::StatusOr<v1::DumpResponse> Dump(const v1::DumpRequest& request) override {
    a_->asked_dump = request;
    return Answer(a_->dump);
  }
  absl::StatusOr<v1::AbortRoomResponse> AbortRoom(const v1::AbortRoomRequest& request) override {
    a_->asked_abort = request;
    return Answer(a_->abort);
  }
  absl::StatusOr<v1::AgentDrainResponse> DrainAgent() override {
    v1::AgentDrainResponse response;
    response.set_rooms(
        a_->rooms_while_draining[std::min(a_->drains++, a_->rooms_while_draining.size() - 1)]);
    return Answer(response);
  }
  absl::StatusOr<Health> CheckHealth(const std::string& address,
                                     const std::string& service) override {
    a_->asked_health = address + " " + service;
    return Answer(a_->health);
  }
  checks::Host* host() override { return &a_->host; }

 private:
  template <typename Response>
  absl::StatusOr<Response> Answer(const Response& response) const {
    if (!a_->status.ok()) return a_->status;
    return response;
  }
  template <typename Response>
  absl::StatusOr<Response> Of(const std::map<std::string, Response>& answers,
                              const std::string& at) const {
    auto found = answers.find(at);
    if (found == answers.end()) return Error(Reason::kPeerLost, "the agent at " + at + " is away");
    return Answer(found->second);
  }

  FakeAnswers* const a_;
  Mutex mu_;
};

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_FAKE_SERVICES_H_
