// The tries of one request: where it is, which servers it failed on, and whether another pair may
// be tried. A request is tried again only while its client has been told nothing. Pure;
// thread-compatible.
#ifndef BATON_CLIENT_ROUTER_APP_ATTEMPTS_H_
#define BATON_CLIENT_ROUTER_APP_ATTEMPTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "client/router/app/request_states.h"
#include "client/router/route.h"

namespace baton::proxy {

class Attempts {
 public:
  explicit Attempts(uint32_t attempts_max)
      : attempts_max_(attempts_max), machine_(NewRequestMachine()) {}

  RequestState state() const { return machine_.state(); }

  // A pair was picked; both legs go out.
  void Begin() {
    ++begun_;
    machine_.Advance(RequestEvent::kPick);
  }
  // A leg failed, at `server`: whether another pair may be tried. False: tell the client words().
  bool Fail(absl::string_view server, absl::string_view why) {
    failures_.push_back(absl::StrCat(server, ": ", why));
    if (avoid_.size() < PickRequest::kAvoidedMax) avoid_.emplace_back(server);
    machine_.Advance(RequestEvent::kFail);
    return begun_ < attempts_max_;
  }
  // The client hears of the answer from now on.
  void Pass() { machine_.Advance(RequestEvent::kPass); }
  void End() { machine_.Advance(RequestEvent::kEnd); }

  // For the next pick.
  const std::vector<std::string>& avoid() const { return avoid_; }
  bool failed_before() const { return !failures_.empty(); }
  // What failed, in order.
  std::string words() const { return absl::StrJoin(failures_, "; then "); }

 private:
  const uint32_t attempts_max_;
  RequestMachine machine_;
  uint32_t begun_ = 0;
  std::vector<std::string> avoid_;
  std::vector<std::string> failures_;
};

}  // namespace baton::proxy

#endif  // BATON_CLIENT_ROUTER_APP_ATTEMPTS_H_
