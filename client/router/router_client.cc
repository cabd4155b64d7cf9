// The client's skin: the directory's events go into the table under a lock that picks share; one
// thread ages the table and carries aborts.
#include "client/router/router_client.h"

#include <grpcpp/grpcpp.h>

#include <random>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "baton/v1/peer.grpc.pb.h"
#include "client/bootstrap/directory.h"
#include "client/router/abort_calls.h"
#include "client/router/table.h"
#include "client/rpc/channel.h"
#include "client/rpc/inbox.h"
#include "client/rpc/unary_calls.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/reason.h"

namespace baton {
namespace {

using Async = v1::AgentPeer::StubInterface::async_interface;

// About as old as the reports of load are.
constexpr auto kAge = std::chrono::seconds(1);
// Connections to agents that are kept for the next abort.
constexpr size_t kStubsMax = 256;

uint64_t Draw() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

router::TableOptions TableOptionsOf(const RouterOptions& options) {
  router::TableOptions table;
  table.place_labels = options.place_labels;
  table.here = options.here;
  table.seed = Draw();
  table.room_nonce = Draw();
  table.first_room = Draw();
  return table;
}

class RouterClientImpl : public RouterClient, private DirectoryEvents {
 public:
  explicit RouterClientImpl(RouterOptions options)
      : options_(std::move(options)),
        table_(TableOptionsOf(options_)),
        inbox_(std::make_shared<Inbox>()),
        aborts_(Draw()),
        directory_(MakeDirectory(DirectoryOptionsOf(options_), this)),
        thread_([this] { Run(); }) {}
  ~RouterClientImpl() override { Stop(); }

  absl::StatusOr<Route> Pick(const PickRequest& request) override {
    MutexLock lock(&mu_);
    return table_.Pick(request);
  }

  absl::StatusOr<Route> PickWithin(const PickRequest& request,
                                   std::chrono::milliseconds wait) override {
    const TimePoint ends = Monotonic::now() + wait;
    MutexLock lock(&mu_);
    while (true) {
      absl::StatusOr<Route> route = table_.Pick(request);
      if (route.ok()) return route;
      if (stopped_) return Error(Reason::kAborted, "the router client is stopped");
      if (!changed_.WaitUntil(&mu_, ends)) return route;
    }
  }

  void Abort(const Route& route, const std::string& why, AbortDone done) override {
    std::set<std::string> agents = AgentsNow(route.prefill);
    agents.merge(AgentsNow(route.decode));
    const TimePoint ends = Monotonic::now() + options_.abort_deadline;
    inbox_->Post([this, room = route.room, agents = std::move(agents), why, ends, done] {
      absl::Status begun = aborts_.Abort(room, agents, why, ends, done);
      if (!begun.ok() && done) done(begun);
    });
  }

  absl::StatusOr<std::vector<Obstacle>> Explain(const std::string& prefill,
                                                const std::string& decode) const override {
    auto source = Find(prefill);
    if (source == nullptr) return Error(Reason::kUnknownServer, absl::StrCat("server ", prefill));
    auto target = Find(decode);
    if (target == nullptr) return Error(Reason::kUnknownServer, absl::StrCat("server ", decode));
    return ExplainPair(*source, *target);
  }

  std::shared_ptr<const v1::ServerRecord> Find(absl::string_view name) const override {
    MutexLock lock(&mu_);
    return table_.Find(name);
  }
  std::vector<std::shared_ptr<const v1::ServerRecord>> Servers() const override {
    return directory_->All();
  }
  bool synced() const override { return directory_->synced(); }

  void Stop() override {
    if (!thread_.joinable()) return;
    directory_->Stop();
    {
      MutexLock lock(&mu_);
      stopped_ = true;
      changed_.NotifyAll();
    }
    inbox_->Post([this] { stopping_ = true; });
    thread_.join();
    inbox_->Close();
  }

 private:
  static DirectoryOptions DirectoryOptionsOf(const RouterOptions& options) {
    DirectoryOptions directory;
    directory.bootstrap_address = options.bootstrap_address;
    return directory;
  }

  void OnServer(const std::shared_ptr<const v1::ServerRecord>& server) override {
    MutexLock lock(&mu_);
    table_.Update(server);
    changed_.NotifyAll();
  }
  void OnServerRemoved(const std::string& name) override {
    MutexLock lock(&mu_);
    table_.Remove(name);
  }

  // Agents may have restarted elsewhere since the pick, unless the server itself did.
  std::set<std::string> AgentsNow(const Leg& leg) const {
    auto now = Find(leg.server->name());
    const bool same = now != nullptr && now->incarnation() == leg.server->incarnation();
    return router::AgentsOf(same ? *now : *leg.server, leg.dp);
  }

  void Run() {
    TimePoint ages = Monotonic::now() + kAge;
    while (!stopping_) {
      const TimePoint now = Monotonic::now();
      if (now >= ages) {
        MutexLock lock(&mu_);
        table_.Age();
        ages = now + kAge;
      }
      for (router::AbortCalls::Call& call : aborts_.Step(now)) Make(call);
      for (Inbox::Closure& closure : inbox_->Take(std::min(ages, aborts_.next(now)))) closure();
    }
    aborts_.Stop(Error(Reason::kAborted, "the router client is stopped"));
  }

  void Make(const router::AbortCalls::Call& call) {
    v1::AbortLegRequest request;
    request.mutable_room()->set_id(call.room.id);
    request.mutable_room()->set_nonce(call.room.nonce);
    request.set_why(call.why);
    if (stubs_.size() >= kStubsMax) {
      // No call may be the last to hold a channel. Those that are cut off are made again.
      calls_ = std::make_unique<UnaryCalls>();
      stubs_.clear();
    }
    auto& stub = stubs_[call.address];
    if (stub == nullptr) stub = v1::AgentPeer::NewStub(MakeChannel(call.address));
    calls_->Make<v1::AbortLegRequest, v1::AbortLegResponse>(
        stub->async(), &Async::AbortLeg, std::move(request), call.deadline,
        [this, inbox = inbox_, id = call.id](const absl::StatusOr<v1::AbortLegResponse>& answer) {
          inbox->Post([this, id, status = answer.status()] {
            aborts_.OnAnswer(id, status, Monotonic::now());
          });
        });
  }

  const RouterOptions options_;
  mutable Mutex mu_;
  CondVar changed_;
  router::Table table_ ABSL_GUARDED_BY(mu_);
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  const std::shared_ptr<Inbox> inbox_;  // shared with calls in flight, which outlive this
  bool stopping_ = false;               // of the thread, as the two below
  router::AbortCalls aborts_;
  std::map<std::string, std::unique_ptr<v1::AgentPeer::Stub>> stubs_;
  std::unique_ptr<UnaryCalls> calls_ = std::make_unique<UnaryCalls>();
  const std::unique_ptr<Directory> directory_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<RouterClient> MakeRouterClient(RouterOptions options) {
  return std::make_unique<RouterClientImpl>(std::move(options));
}

}  // namespace baton
