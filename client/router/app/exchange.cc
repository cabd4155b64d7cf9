#include "client/router/app/exchange.h"

#include <poll.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/router/app/client_socket.h"
#include "client/router/app/legs.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton::proxy {
namespace {

// How late a request may see that the program ends; clients and engines are seen at once.
constexpr auto kSlice = std::chrono::milliseconds(100);

std::set<std::string> ModelsOf(const RouterClient& router) {
  std::set<std::string> models;
  for (const auto& server : router.Servers()) models.insert(server->model());
  return models;
}

std::string Joined(const std::set<std::string>& models) {
  return models.empty() ? "none" : absl::StrJoin(models, ", ");
}

bool IsReadable(int socket) {
  pollfd watched{socket, POLLIN, 0};
  return socket >= 0 && poll(&watched, 1, 0) > 0;
}

EngineLimits LimitsOf(const RouterProgramOptions& options) {
  return {std::chrono::milliseconds(options.connect_ms),
          std::chrono::seconds(options.engine_silence_s), options.max_answer_bytes};
}

}  // namespace

Exchange::Exchange(const Shared& shared, Asked asked, PassedOn passed, Client* client)
    : shared_(shared),
      asked_(std::move(asked)),
      passed_(std::move(passed)),
      client_(client),
      socket_(client->socket()),
      attempts_(shared.options.attempts),
      began_(Monotonic::now()),
      judge_(asked_.stream) {}

Outcome Exchange::Run() {
  Step step = Step::kAgain;
  while (step != Step::kOver) {
    step = Pick();
    if (step != Step::kOver) step = Try();
  }
  return outcome_;
}

Exchange::Step Exchange::Pick() {
  const TimePoint until = Monotonic::now() + std::chrono::milliseconds(shared_.options.wait_ms);
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - Monotonic::now());
    absl::StatusOr<Route> route = PickNow(std::clamp(left, std::chrono::milliseconds(0), kSlice));
    if (route.ok()) {
      route_ = *std::move(route);
      return Step::kWait;
    }
    if (ReasonOf(route.status()) == Reason::kConfig) {
      return Refuse(Outcome::kRefused, 400, std::string(route.status().message()));
    }
    if (LookUp(IsReadable(socket_)) == Step::kOver) return Step::kOver;
    if (Monotonic::now() >= until) return NothingFits(route.status());
  }
}

absl::StatusOr<Route> Exchange::PickNow(std::chrono::milliseconds wait) {
  if (asked_.model.empty()) {
    const std::set<std::string> models = ModelsOf(*shared_.router);
    if (models.size() > 1) {
      return Error(Reason::kConfig,
                   absl::StrCat("the request names no \"model\"; there are: ", Joined(models)));
    }
    if (models.size() == 1) asked_.model = *models.begin();
  }
  PickRequest request;
  request.model = asked_.model;
  request.policy = PolicyOf(shared_.options.policy);
  request.prefix_key = asked_.prefix_key;
  if (attempts_.failed_before()) {
    request.avoid = attempts_.avoid();
    absl::StatusOr<Route> route = shared_.router->Pick(request);
    if (route.ok()) return route;
    // A server that failed once is better than none.
    request.avoid = {};
  }
  return shared_.router->PickWithin(request, wait);
}

Exchange::Step Exchange::NothingFits(const absl::Status& why) {
  std::string words(why.message());
  const std::set<std::string> models = ModelsOf(*shared_.router);
  if (!shared_.router->synced()) {
    words = absl::StrCat("the bootstrap service at ", shared_.options.bootstrap,
                         " has not answered yet");
  } else if (!asked_.model.empty() && models.count(asked_.model) == 0) {
    words =
        absl::StrCat("no server has the model '", asked_.model, "'; there are: ", Joined(models));
  }
  if (!attempts_.failed_before()) return Refuse(Outcome::kNoPair, 503, words);
  return Refuse(Outcome::kFailed, 503, absl::StrCat(attempts_.words(), "; then ", words));
}

Exchange::Step Exchange::Try() {
  absl::StatusOr<LegBodies> bodies = LegsOf(asked_, route_);
  if (!bodies.ok()) {
    return Refuse(Outcome::kNoPair, 503, std::string(bodies.status().message()));
  }
  attempts_.Begin();
  judge_ = Judge(asked_.stream);
  EngineLegs legs(*bodies, passed_, LimitsOf(shared_.options));
  bool prefill_ended = false;
  Step step = Step::kWait;
  while (step == Step::kWait) {
    step = LookUp(legs.Wait(socket_, kSlice));
    if (step == Step::kWait && !prefill_ended && legs.prefill().ended) {
      prefill_ended = true;
      step = OnPrefillEnd(legs.prefill());
    }
    if (step == Step::kWait) step = OnDecode(&legs.decode());
  }
  return step;
}

Exchange::Step Exchange::OnPrefillEnd(const LegAnswer& answer) {
  // What the decode server has begun to answer, it has the pages for.
  if (attempts_.state() != RequestState::kLegs) return Step::kWait;
  if (!answer.failure.empty()) return LegFailed(/*prefill=*/true, answer.failure);
  if (answer.status >= 500 || answer.status == 429) {
    return LegFailed(/*prefill=*/true, Brief(answer.status, answer.bytes));
  }
  if (answer.status < 400) return Step::kWait;
  // It is the request that is wrong; the decode server would say so too, or wait for pages in vain.
  shared_.router->Abort(route_, "the prefill server refused the request", nullptr);
  return FinishSaid(client_->Answer(answer.status, answer.type, answer.bytes), Outcome::kAnswered);
}

Exchange::Step Exchange::OnDecode(LegAnswer* answer) {
  const std::string bytes = std::exchange(answer->bytes, "");
  if (attempts_.state() == RequestState::kPassing) {
    if (!bytes.empty() && !client_->StreamPiece(bytes)) {
      return Abandon(Outcome::kClientGone, "the client has gone");
    }
    return answer->ended ? EndStream(*answer) : Step::kWait;
  }
  judge_.OnHead(answer->status);
  if (!bytes.empty()) {
    const Step step = Act(judge_.OnBody(bytes), *answer);
    if (step != Step::kWait) return step;
  }
  if (attempts_.state() == RequestState::kPassing) {
    return answer->ended ? EndStream(*answer) : Step::kWait;
  }
  if (judge_.held().size() > shared_.options.max_answer_bytes) {
    return LegFailed(/*prefill=*/false, "its answer is larger than --max_answer_bytes");
  }
  if (!answer->ended) return Step::kWait;
  if (!answer->failure.empty()) return LegFailed(/*prefill=*/false, answer->failure);
  return Act(judge_.OnEnd(), *answer);
}

Exchange::Step Exchange::Act(Judge::Verdict verdict, const LegAnswer& answer) {
  switch (verdict) {
    case Judge::Verdict::kWait:
      return Step::kWait;
    case Judge::Verdict::kFailed:
      return LegFailed(/*prefill=*/false, judge_.why());
    case Judge::Verdict::kPass:
      return PassHeld(answer);
  }
  return Step::kWait;
}

Exchange::Step Exchange::PassHeld(const LegAnswer& answer) {
  shared_.stats->first_byte.Observe(Monotonic::now() - began_);
  attempts_.Pass();
  if (!judge_.passes_pieces()) {
    // The prefill's pages wait for a decode that will not come.
    if (judge_.status() >= 400) {
      shared_.router->Abort(route_, "the decode server refused the request", nullptr);
    }
    return FinishSaid(client_->Answer(judge_.status(), answer.type, judge_.held()),
                      Outcome::kAnswered);
  }
  if (client_->BeginStream(judge_.status(), answer.type) && client_->StreamPiece(judge_.held())) {
    return answer.ended ? EndStream(answer) : Step::kWait;
  }
  return Abandon(Outcome::kClientGone, "the client has gone");
}

Exchange::Step Exchange::EndStream(const LegAnswer& answer) {
  if (answer.failure.empty()) return FinishSaid(client_->EndStream(), Outcome::kAnswered);
  // The client has had a part of it: an error in the stream is all that is left.
  const std::string words =
      absl::StrCat("the decode server: ", route_.decode.server->name(), ": ", answer.failure);
  LOG(WARNING) << "room " << route_.room.id << ": " << words;
  shared_.stats->failed_legs[1].Add();
  shared_.router->Abort(route_, words, nullptr);
  return FinishSaid(client_->StreamPiece(ErrorEvent(502, words)) && client_->EndStream(),
                    Outcome::kBroken);
}

Exchange::Step Exchange::LegFailed(bool prefill, const std::string& why) {
  const std::string server = (prefill ? route_.prefill : route_.decode).server->name();
  LOG(WARNING) << "room " << route_.room.id << ": " << route_.prefill.server->name() << " -> "
               << route_.decode.server->name() << ": " << server << ": " << why;
  shared_.stats->failed_legs[prefill ? 0 : 1].Add();
  shared_.router->Abort(route_, absl::StrCat("the router: ", server, ": ", why), nullptr);
  if (attempts_.Fail(server, why)) return Step::kAgain;
  return Refuse(Outcome::kFailed, 502, attempts_.words());
}

Exchange::Step Exchange::Refuse(Outcome outcome, int status, const std::string& words) {
  return FinishSaid(client_->Answer(status, kJsonType, ErrorBody(status, words)), outcome);
}

Exchange::Step Exchange::LookUp(bool readable) {
  if (readable && PeerIsGone(socket_)) return Abandon(Outcome::kClientGone, "the client has gone");
  // A client that sends its next request early: it is read when this one is over.
  if (readable) socket_ = -1;
  if (!shared_.stopping) return Step::kWait;
  const std::string words = "this router is ending: ask again, another one will answer";
  if (attempts_.state() == RequestState::kPassing) {
    client_->StreamPiece(ErrorEvent(503, words));
    client_->EndStream();
  } else {
    client_->Answer(503, kJsonType, ErrorBody(503, words));
  }
  return Abandon(Outcome::kBroken, "the router is ending");
}

Exchange::Step Exchange::Abandon(Outcome outcome, const std::string& why) {
  if (attempts_.state() != RequestState::kPicking) shared_.router->Abort(route_, why, nullptr);
  return Finish(outcome);
}

Exchange::Step Exchange::FinishSaid(bool written, Outcome outcome) {
  return Finish(written ? outcome : Outcome::kClientGone);
}

Exchange::Step Exchange::Finish(Outcome outcome) {
  attempts_.End();
  outcome_ = outcome;
  return Step::kOver;
}

}  // namespace baton::proxy
