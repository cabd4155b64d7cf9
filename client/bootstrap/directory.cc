// The directory's skin: one thread that owns the room calls, and applies what the watch brings.
#include "client/bootstrap/directory.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <random>
#include <thread>
#include <utility>

#include "baton/v1/bootstrap.grpc.pb.h"
#include "client/bootstrap/bidi_stream.h"
#include "client/bootstrap/directory_core.h"
#include "client/bootstrap/room_calls.h"
#include "client/bootstrap/watch_stream.h"
#include "client/rpc/backoff.h"
#include "client/rpc/channel.h"
#include "client/rpc/in_flight.h"
#include "client/rpc/inbox.h"
#include "client/rpc/unary_calls.h"
#include "common/log.h"
#include "common/mutex.h"
#include "common/reason.h"

namespace baton {
namespace {

using Async = v1::Bootstrap::StubInterface::async_interface;

// A service that says nothing for so long, not even a bookmark, is asked anew.
constexpr auto kWatchSilence = std::chrono::seconds(20);

class DirectoryImpl : public Directory {
 public:
  DirectoryImpl(DirectoryOptions options, DirectoryEvents* events)
      : options_(std::move(options)),
        events_(events),
        stub_(v1::Bootstrap::NewStub(MakeChannel(options_.bootstrap_address))),
        inbox_(std::make_shared<Inbox>()),
        rooms_(options_.backoff_max, std::random_device()()),
        watch_backoff_(std::chrono::milliseconds(50), options_.backoff_max, std::random_device()()),
        thread_([this] { Run(); }) {}

  ~DirectoryImpl() override { Stop(); }

  ServerRecordPtr Find(const std::string& name) const override {
    MutexLock lock(&mu_);
    return core_.Find(name);
  }
  std::vector<ServerRecordPtr> All() const override {
    MutexLock lock(&mu_);
    return core_.All();
  }
  bool synced() const override {
    MutexLock lock(&mu_);
    return core_.synced();
  }

  void LookupRoom(const std::string& server, const RoomKey& room, std::chrono::milliseconds wait,
                  LookupDone done) override {
    inbox_->Post([this, server, room, ends = Monotonic::now() + wait, done = std::move(done)] {
      rooms_.Lookup(server, room, ends, done);
    });
  }

  void BindRoom(const std::string& server, const RoomKey& room, uint32_t dp,
                std::chrono::milliseconds ttl) override {
    inbox_->Post([this, server, room, dp, ends = Monotonic::now() + ttl] {
      rooms_.Bind(server, room, dp, ends);
    });
  }

  void RoomOver(const std::string& server, const RoomKey& room) override {
    inbox_->Post([this, server, room] { rooms_.Over(server, room, Monotonic::now()); });
  }
  RoomCounts rooms() const override { return {bindings_, lookups_}; }

  void Stop() override {
    if (!thread_.joinable()) return;
    inbox_->Post([this] { stopping_ = true; });
    thread_.join();
    inbox_->Close();
    if (watch_ != nullptr) watch_->Cancel();
    if (follow_ != nullptr) follow_->Cancel();
  }

 private:
  void Run() {
    while (!stopping_) {
      TimePoint now = Monotonic::now();
      StepWatch(now);
      Make(rooms_.Step(now));
      bindings_ = rooms_.bindings();
      lookups_ = rooms_.lookups();
      // All closures run, also after the one that stops: a lookup posted before it gets its answer.
      for (Inbox::Closure& closure : inbox_->Take(std::min(rooms_.next(now), NextWatch(now)))) {
        closure();
      }
    }
    rooms_.Stop(Error(Reason::kAborted, "the directory is stopped"));
  }

  TimePoint NextWatch(TimePoint now) const {
    TimePoint at = watch_ == nullptr ? next_watch_ : heard_ + kWatchSilence;
    return std::min(at, now + std::chrono::seconds(1));
  }

  void StepWatch(TimePoint now) {
    if (watch_ != nullptr && heard_ + kWatchSilence <= now) {
      LOG(WARNING) << "watch of " << options_.bootstrap_address << ": silent, begun anew";
      EndWatch(now);
    }
    if (watch_ != nullptr || next_watch_ > now) return;
    heard_ = now;
    uint64_t generation = ++watch_generation_;
    WatchStream::Callbacks callbacks;
    callbacks.message = [this, inbox = inbox_, generation](v1::WatchResponse message) {
      inbox->Post([this, generation, message = std::move(message)] {
        if (generation == watch_generation_) OnMessage(message);
      });
    };
    callbacks.ended = [this, inbox = inbox_, generation](const absl::Status& status) {
      inbox->Post([this, generation, status] {
        if (generation == watch_generation_) OnWatchEnd(status);
      });
    };
    v1::WatchRequest request;
    {
      MutexLock lock(&mu_);
      request = core_.BeginWatch();
    }
    watch_ = WatchStream::Open(stub_.get(), &streams_, request, std::move(callbacks));
  }

  void EndWatch(TimePoint next) {
    if (watch_ != nullptr) watch_->Cancel();
    watch_ = nullptr;
    ++watch_generation_;
    next_watch_ = next;
  }

  void OnMessage(const v1::WatchResponse& message) {
    heard_ = Monotonic::now();
    watch_backoff_.Reset();
    failing_ = false;
    DirectoryCore::Changes changes;
    std::vector<ServerRecordPtr> upserted;
    {
      MutexLock lock(&mu_);
      changes = core_.Apply(message);
      for (const std::string& name : changes.upserted) upserted.push_back(core_.Find(name));
    }
    if (events_ != nullptr) {
      for (const ServerRecordPtr& server : upserted) events_->OnServer(server);
      for (const std::string& name : changes.removed) events_->OnServerRemoved(name);
    }
    if (changes.new_store_epoch) rooms_.ForgetSent();
    if (changes.dropped) {
      LOG(WARNING) << "watch of " << options_.bootstrap_address << " ended: " << *changes.dropped;
    }
    if (changes.compacted) {
      EndWatch(heard_);
    } else {
      watch_->Next();
    }
  }

  void OnWatchEnd(const absl::Status& status) {
    // One line when it begins to fail, not one for each attempt.
    if (!failing_) {
      LOG(WARNING) << "watch of " << options_.bootstrap_address << " ended: " << status.message()
                   << "; what is known stays";
    }
    failing_ = true;
    watch_ = nullptr;
    next_watch_ = Monotonic::now() + watch_backoff_.Next();
  }

  void Make(RoomCalls::Calls calls) {
    if (calls.open_stream) OpenFollow();
    for (v1::FollowRoomsRequest& request : calls.follow) follow_->Send(std::move(request));
    if (!calls.bind) return;
    Call<v1::BindRoomResponse>(&Async::BindRoom, *std::move(calls.bind), options_.rpc_deadline,
                               [this](const absl::StatusOr<v1::BindRoomResponse>& answer) {
                                 rooms_.OnBind(answer, Monotonic::now());
                               });
  }

  void OpenFollow() {
    const uint64_t generation = ++follow_generation_;
    FollowStream::Callbacks callbacks;
    callbacks.answered = [this, inbox = inbox_, generation](v1::FollowRoomsResponse answer) {
      inbox->Post([this, generation, answer = std::move(answer)] {
        if (generation != follow_generation_) return;
        follow_failing_ = false;
        rooms_.OnFollowed(answer);
      });
    };
    callbacks.ended = [this, inbox = inbox_, generation](const absl::Status& status) {
      inbox->Post([this, generation, status] {
        if (generation == follow_generation_) OnFollowEnd(status);
      });
    };
    follow_ = FollowStream::Open(stub_->async(), &Async::FollowRooms, "FollowRooms", &streams_,
                                 std::move(callbacks));
  }

  void OnFollowEnd(const absl::Status& status) {
    // One line when it begins to fail, not one for each attempt.
    if (!status.ok() && !std::exchange(follow_failing_, true)) {
      LOG(WARNING) << "room lookups at " << options_.bootstrap_address
                   << ": the stream ended: " << status.message()
                   << (absl::IsUnimplemented(status) ? ": the service is older than this program, "
                                                       "upgrade it first"
                                                     : "; the rooms are asked for again");
    }
    follow_ = nullptr;
    rooms_.OnStreamEnd(Monotonic::now());
  }

  // `then` runs on this thread, unless the directory was stopped before.
  template <typename Response, typename Request, typename Then>
  void Call(void (Async::*method)(grpc::ClientContext*, const Request*, Response*,
                                  grpc::ClientUnaryReactor*),
            Request request, std::chrono::milliseconds deadline, Then then) {
    calls_.Make<Request, Response>(
        stub_->async(), method, std::move(request), deadline,
        [inbox = inbox_, then](absl::StatusOr<Response> answer) {
          inbox->Post([then, answer = std::move(answer)] { then(answer); });
        });
  }

  const DirectoryOptions options_;
  DirectoryEvents* const events_;
  const std::unique_ptr<v1::Bootstrap::Stub> stub_;
  InFlight streams_;
  UnaryCalls calls_;
  const std::shared_ptr<Inbox> inbox_;  // shared with calls in flight, which outlive this
  mutable Mutex mu_;
  DirectoryCore core_ ABSL_GUARDED_BY(mu_);
  bool stopping_ = false;  // of the thread, as all below
  RoomCalls rooms_;
  std::atomic<uint64_t> bindings_{0}, lookups_{0};  // of it, for any thread
  std::shared_ptr<FollowStream> follow_;            // as watch_
  uint64_t follow_generation_ = 0;
  bool follow_failing_ = false;
  std::shared_ptr<WatchStream> watch_;  // shared with gRPC until it has ended
  uint64_t watch_generation_ = 0;
  bool failing_ = false;
  TimePoint heard_;
  TimePoint next_watch_;
  Backoff watch_backoff_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Directory> MakeDirectory(DirectoryOptions options, DirectoryEvents* events) {
  return std::make_unique<DirectoryImpl>(std::move(options), events);
}

}  // namespace baton
