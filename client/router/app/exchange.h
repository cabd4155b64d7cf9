// One client's request from its body to the end of its answer, on its own thread: picks a pair,
// sends both legs at once, tries another pair while the client has been told nothing, then passes
// the decode server's answer on as it comes.
#ifndef BATON_CLIENT_ROUTER_APP_EXCHANGE_H_
#define BATON_CLIENT_ROUTER_APP_EXCHANGE_H_

#include <atomic>
#include <string>

#include "client/router/app/attempts.h"
#include "client/router/app/engine_legs.h"
#include "client/router/app/openai.h"
#include "client/router/app/options.h"
#include "client/router/app/stats.h"
#include "client/router/app/verdict.h"
#include "client/router/router_client.h"
#include "common/clock.h"

namespace baton::proxy {

// What all exchanges of a program share; outlives them.
struct Shared {
  const RouterProgramOptions& options;
  RouterClient* router;
  Stats* stats;
  // Set when those that run are to end.
  const std::atomic<bool>& stopping;
};

// Who asked. False: it could not be written, so that nobody reads there any more.
class Client {
 public:
  virtual ~Client() = default;
  // To be watched for the client's end; -1: nothing can be seen there.
  virtual int socket() const = 0;
  virtual bool Answer(int status, absl::string_view type, absl::string_view body) = 0;
  virtual bool BeginStream(int status, absl::string_view type) = 0;
  virtual bool StreamPiece(absl::string_view bytes) = 0;
  virtual bool EndStream() = 0;
};

class Exchange {
 public:
  Exchange(const Shared& shared, Asked asked, PassedOn passed, Client* client);

  // Until the client has its answer, or has gone.
  Outcome Run();

 private:
  enum class Step : uint8_t { kWait, kAgain, kOver };

  Step Pick();
  absl::StatusOr<Route> PickNow(std::chrono::milliseconds wait);
  Step NothingFits(const absl::Status& why);
  Step Try();
  Step OnPrefillEnd(const LegAnswer& answer);
  Step OnDecode(LegAnswer* answer);
  Step Act(Judge::Verdict verdict, const LegAnswer& answer);
  Step PassHeld(const LegAnswer& answer);
  Step EndStream(const LegAnswer& answer);
  Step LegFailed(bool prefill, const std::string& why);
  Step Refuse(Outcome outcome, int status, const std::string& words);
  // kOver when the client has gone, or the program ends.
  Step LookUp(bool readable);
  Step Abandon(Outcome outcome, const std::string& why);
  Step Finish(Outcome outcome);
  // The end of a request whose last words could be written, or could not.
  Step FinishSaid(bool written, Outcome outcome);

  const Shared& shared_;
  Asked asked_;
  const PassedOn passed_;
  Client* const client_;
  int socket_;
  Attempts attempts_;
  const TimePoint began_;
  Route route_;
  Judge judge_;
  Outcome outcome_ = Outcome::kFailed;
};

}  // namespace baton::proxy

#endif  // BATON_CLIENT_ROUTER_APP_EXCHANGE_H_
