// The registrar's skin: one thread that owns the core and makes its calls.
#include "client/bootstrap/registrar.h"

#include <grpcpp/grpcpp.h>

#include <random>
#include <thread>
#include <utility>

#include "baton/v1/bootstrap.grpc.pb.h"
#include "client/bootstrap/bidi_stream.h"
#include "client/bootstrap/registrar_core.h"
#include "client/rpc/channel.h"
#include "client/rpc/in_flight.h"
#include "client/rpc/inbox.h"
#include "client/rpc/unary_calls.h"

namespace baton {
namespace {

using Async = v1::Bootstrap::StubInterface::async_interface;

class RegistrarImpl : public Registrar {
 public:
  RegistrarImpl(RegistrarOptions options, RegistrarEvents* events)
      : options_(options),
        stub_(v1::Bootstrap::NewStub(MakeChannel(options.bootstrap_address))),
        inbox_(std::make_shared<Inbox>()),
        core_(std::move(options), events, std::random_device()()),
        thread_([this] { Run(); }) {}

  ~RegistrarImpl() override { Stop(std::chrono::milliseconds(0)); }

  void Add(RankRegistration rank) override {
    inbox_->Post([this, rank = std::move(rank)] { core_.Add(rank, Monotonic::now()); });
  }

  void Remove(const RankRef& rank) override {
    inbox_->Post([this, rank] { GiveBack(core_.Remove(rank)); });
  }

  void SetLoad(const AgentLoad& load) override {
    inbox_->Post([this, load] { core_.SetLoad(load); });
  }

  void Stop(std::chrono::milliseconds grace) override {
    if (!thread_.joinable()) return;
    inbox_->Post([this] { stopping_ = true; });
    thread_.join();
    inbox_->Close();
    if (stream_ != nullptr) stream_->Cancel();
    const TimePoint ends = Monotonic::now() + grace;
    DeregisterAll(grace);
    // Leases that were given back just before.
    calls_.Wait(std::chrono::milliseconds(MillisLeft(ends, Monotonic::now())));
  }

 private:
  void Run() {
    while (!stopping_) {
      TimePoint now = Monotonic::now();
      Make(core_.Step(now));
      for (Inbox::Closure& closure : inbox_->Take(core_.next(now))) {
        if (!stopping_) closure();
      }
    }
  }

  void Make(RegistrarCore::Calls calls) {
    for (auto& [key, request] : calls.servers) {
      Call(&Async::RegisterServer, std::move(request),
           [this, key = key](const absl::StatusOr<v1::RegisterServerResponse>& answer) {
             core_.OnServer(key, answer, Monotonic::now());
           });
    }
    for (auto& [ticket, request] : calls.ranks) {
      Call(&Async::RegisterRank, std::move(request),
           [this, ticket = ticket](const absl::StatusOr<v1::RegisterRankResponse>& answer) {
             GiveBack(core_.OnRank(ticket, answer, Monotonic::now()));
           });
    }
    if (calls.reset_stream) DropStream();
    if (calls.keep_alive) SendKeepAlive(*calls.keep_alive);
  }

  // `then` runs on this thread, unless the registrar was stopped before.
  template <typename Request, typename Response, typename Then>
  void Call(void (Async::*method)(grpc::ClientContext*, const Request*, Response*,
                                  grpc::ClientUnaryReactor*),
            Request request, Then then) {
    calls_.Make<Request, Response>(
        stub_->async(), method, std::move(request), options_.rpc_deadline,
        [inbox = inbox_, then](absl::StatusOr<Response> answer) {
          inbox->Post([then, answer = std::move(answer)] { then(answer); });
        });
  }

  void GiveBack(std::optional<uint64_t> lease) {
    if (!lease) return;
    v1::DeregisterRequest request;
    request.add_lease_ids(*lease);
    // Best effort: a lease that is not given back ends by itself.
    Call(&Async::Deregister, std::move(request),
         [](const absl::StatusOr<v1::DeregisterResponse>&) {});
  }

  void DropStream() {
    if (stream_ != nullptr) stream_->Cancel();
    stream_ = nullptr;
    ++stream_generation_;
  }

  void SendKeepAlive(const v1::KeepAliveRequest& request) {
    if (stream_ == nullptr) {
      uint64_t generation = ++stream_generation_;
      KeepAliveStream::Callbacks callbacks;
      callbacks.answered = [this, inbox = inbox_, generation](const v1::KeepAliveResponse& answer) {
        inbox->Post([this, generation, answer] {
          if (generation == stream_generation_) core_.OnKeepAlive(answer, Monotonic::now());
        });
      };
      callbacks.ended = [this, inbox = inbox_, generation](const absl::Status&) {
        inbox->Post([this, generation] {
          if (generation != stream_generation_) return;
          stream_ = nullptr;
          core_.OnStreamEnd(Monotonic::now());
        });
      };
      stream_ = KeepAliveStream::Open(stub_->async(), &Async::KeepAlive, "KeepAlive", &streams_,
                                      std::move(callbacks));
    }
    stream_->Send(request);
  }

  void DeregisterAll(std::chrono::milliseconds grace) {
    std::vector<uint64_t> leases = core_.leases();
    if (leases.empty() || grace.count() <= 0) return;
    v1::DeregisterRequest request;
    request.mutable_lease_ids()->Add(leases.begin(), leases.end());
    v1::DeregisterResponse response;
    grpc::ClientContext context;
    context.set_deadline(DeadlineIn(grace));
    // Best effort: leases that are not given back end by themselves.
    (void)stub_->Deregister(&context, request, &response);
  }

  const RegistrarOptions options_;
  const std::unique_ptr<v1::Bootstrap::Stub> stub_;
  InFlight streams_;
  UnaryCalls calls_;
  const std::shared_ptr<Inbox> inbox_;  // shared with calls in flight, which outlive this
  bool stopping_ = false;               // of the thread, as all below
  RegistrarCore core_;
  std::shared_ptr<KeepAliveStream> stream_;
  uint64_t stream_generation_ = 0;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Registrar> MakeRegistrar(RegistrarOptions options, RegistrarEvents* events) {
  return std::make_unique<RegistrarImpl>(std::move(options), events);
}

}  // namespace baton
