// Services that answer what a test puts in, and keep what they were asked.
#ifndef BATON_CLIENT_CTL_FAKE_SERVICES_H_
#define BATON_CLIENT_CTL_FAKE_SERVICES_H_

#include <vector>

#include "client/ctl/services.h"
#include "common/reason.h"

namespace baton::ctl {

// What a test sets; outlives the services that a run makes of it.
struct FakeAnswers {
  absl::Status status;  // not OK: every call fails with it
  v1::ListServersResponse servers;
  v1::GetServerResponse server;
  // One list of messages for each time that a watch is begun; then the stream breaks.
  std::vector<std::vector<v1::WatchResponse>> watches;
  v1::AgentStatusResponse agent;
  v1::ListRoomsResponse rooms;
  v1::AbortRoomResponse abort;

  v1::ListServersRequest asked_servers;
  v1::GetServerRequest asked_server;
  v1::WatchRequest asked_watch;
  v1::ListRoomsRequest asked_rooms;
  v1::AbortRoomRequest asked_abort;
  size_t watches_begun = 0;
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
  absl::Status Watch(const v1::WatchRequest& request, const OnWatch& on) override {
    a_->asked_watch = request;
    if (a_->watches_begun < a_->watches.size()) {
      for (const v1::WatchResponse& message : a_->watches[a_->watches_begun++]) {
        if (!on(message)) return absl::OkStatus();
      }
    }
    return Error(Reason::kPeerLost, "the watch broke");
  }
  absl::StatusOr<v1::AgentStatusResponse> AgentStatus() override { return Answer(a_->agent); }
  absl::StatusOr<v1::ListRoomsResponse> ListRooms(const v1::ListRoomsRequest& request) override {
    a_->asked_rooms = request;
    return Answer(a_->rooms);
  }
  absl::StatusOr<v1::AbortRoomResponse> AbortRoom(const v1::AbortRoomRequest& request) override {
    a_->asked_abort = request;
    return Answer(a_->abort);
  }

 private:
  template <typename Response>
  absl::StatusOr<Response> Answer(const Response& response) const {
    if (!a_->status.ok()) return a_->status;
    return response;
  }

  FakeAnswers* const a_;
};

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_FAKE_SERVICES_H_
