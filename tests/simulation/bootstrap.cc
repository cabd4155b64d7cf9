#include "tests/simulation/bootstrap.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "bootstrap_service/registry/batch.h"
#include "common/reason.h"

namespace baton::sim {

// A call under way: whichever comes first, answer or failure, ends it.
struct Bootstrap::Pending {
  bool over = false;
  std::function<void(const absl::Status&)> fail;
};

Bootstrap::Bootstrap(Network* network, uint32_t host)
    : network_(network), world_(network->world()), host_(host) {}

registry::Now Bootstrap::now() const {
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(world_.now().time_since_epoch());
  return {world_.now(), static_cast<uint64_t>(1'700'000'000'000 + ms.count() + unix_offset_ms_)};
}

void Bootstrap::Start(bool first) {
  process_ = world_.NewProcess(absl::StrCat("bootstrap#", ++life_), host_);
  registry::Limits limits;
  if (first) limits.settle = Duration(0);
  // As the service draws it: anew at each start.
  registry_ = std::make_unique<registry::Registry>(limits, world_.random.Next(), now());
  rooms_ = std::make_unique<registry::RoomTable>(limits);
  lookups_.clear();
  watchers_.clear();
  push_due_ = false;
  started_ = world_.now();
  network_->Listen(kBootstrapAddress, process_, [this](const WirePtr& wire) { OnWatcher(wire); });
  Tick(life_);
}

void Bootstrap::Tick(uint64_t life) {
  if (life != life_) return;
  registry_->Tick(now());
  Answer(rooms_->Tick(world_.now()));
  Changed();
  world_.RunAfter(process_, 250 * kMilli, [this, life] { Tick(life); });
}

std::shared_ptr<Bootstrap::Pending> Bootstrap::Begin(
    const ProcessPtr& from, Duration deadline, std::function<void(const absl::Status&)> fail) {
  auto pending = std::make_shared<Pending>();
  pending->fail = std::move(fail);
  world_.RunAfter(from, deadline, [pending] {
    if (std::exchange(pending->over, true)) return;
    pending->fail(Error(Reason::kDeadline, "the bootstrap service did not answer"));
  });
  return pending;
}

void Bootstrap::Deliver(const ProcessPtr& from, const std::shared_ptr<Pending>& pending,
                        std::function<void(uint64_t life)> carry_out) {
  auto lost = [this, from, pending] {
    world_.RunAfter(from, network_->Latency(host_, from->host), [pending] {
      if (std::exchange(pending->over, true)) return;
      pending->fail(Error(Reason::kPeerLost, "the bootstrap service cannot be reached"));
    });
  };
  if (!process_->alive) return lost();
  process_->at_death.push_back(lost);
  const uint64_t life = life_;
  network_->Datagram(from->host, process_, [this, life, carry_out = std::move(carry_out)] {
    if (life == life_) carry_out(life);
  });
}

void Bootstrap::Reply(const ProcessPtr& from, const std::shared_ptr<Pending>& pending,
                      Action then) {
  network_->Datagram(host_, from, [pending, then = std::move(then)] {
    if (!std::exchange(pending->over, true)) then();
  });
}

template <>
absl::StatusOr<v1::BindRoomResponse> Bootstrap::Apply(const v1::BindRoomRequest& request) {
  for (const v1::RoomBinding& binding : request.bindings()) {
    absl::Status status = registry_->CheckDp(binding.server(), binding.dp());
    if (!status.ok()) return status;
  }
  auto answered = rooms_->Bind(request, world_.now());
  if (!answered.ok()) return answered.status();
  Answer(*std::move(answered));
  return v1::BindRoomResponse();
}

void Bootstrap::Lookup(const ProcessPtr& from, const v1::LookupRoomRequest& request,
                       Duration deadline,
                       std::function<void(const absl::StatusOr<v1::LookupRoomResponse>&)> then) {
  auto pending = Begin(from, deadline, [then](const absl::Status& why) { then(why); });
  Deliver(from, pending, [this, from, pending, then, request](uint64_t) {
    const TimePoint ends = world_.now() + std::chrono::milliseconds(request.wait_ms());
    auto result = rooms_->Lookup(request, world_.now(), ends);
    if (!result.ok()) {
      return Reply(from, pending, [then, why = result.status()] { then(why); });
    }
    auto reply = [this, from, pending, then](v1::LookupRoomResponse answer) {
      Reply(from, pending, [then, answer = std::move(answer)] { then(answer); });
    };
    if (!result->waiter.has_value()) return reply(std::move(result->response));
    lookups_[*result->waiter] = reply;
  });
}

void Bootstrap::Answer(std::vector<registry::Answered> answered) {
  for (registry::Answered& one : answered) {
    auto found = lookups_.find(one.waiter);
    if (found == lookups_.end()) continue;
    LookupReply reply = std::move(found->second);
    lookups_.erase(found);
    reply(std::move(one.response));
  }
}

void Bootstrap::OnWatcher(const WirePtr& wire) {
  Wire::End end;
  end.process = process_;
  end.on_message = [this, weak = std::weak_ptr<Wire>(wire)](const Payload& payload) {
    if (WirePtr held = weak.lock()) {
      BeginWatch(held, *static_cast<const v1::WatchRequest*>(payload.get()));
    }
  };
  end.on_closed = [this, raw = wire.get()](const absl::Status&) {
    std::erase_if(watchers_, [raw](const Watcher& w) { return w.wire.get() == raw; });
  };
  wire->SetEnd(1, std::move(end));
}

void Bootstrap::BeginWatch(const WirePtr& wire, const v1::WatchRequest& request) {
  auto send = [&](std::string message) {
    wire->Send(1, std::make_shared<const std::string>(std::move(message)));
  };
  const bool resumes = request.has_resume_after();
  if (resumes && (request.resume_after().store_epoch() != registry_->store_epoch() ||
                  !registry_->changes().Covers(request.resume_after().number()))) {
    return send(registry::CompactedMessage());
  }
  uint64_t sent = registry_->changes().latest();
  if (resumes) {
    sent = request.resume_after().number();
  } else {
    for (std::string& message : registry::SnapshotMessages(registry_.get(), {})) {
      send(std::move(message));
    }
  }
  watchers_.push_back({wire, sent});
  Changed();
}

void Bootstrap::Changed() {
  if (observer_) observer_();
  if (push_due_) return;
  const uint64_t latest = registry_->changes().latest();
  const bool behind = std::any_of(watchers_.begin(), watchers_.end(),
                                  [&](const Watcher& w) { return w.sent < latest; });
  if (!behind) return;
  push_due_ = true;
  world_.RunAfter(process_, kMilli, [this, life = life_] {
    if (life == life_) Push();
  });
}

void Bootstrap::Push() {
  push_due_ = false;
  const uint64_t latest = registry_->changes().latest();
  for (Watcher& watcher : watchers_) {
    if (watcher.sent == latest) continue;
    std::string message = registry::ChangesMessage(registry_.get(), watcher.sent, {});
    watcher.sent = latest;
    if (message.empty()) continue;
    watcher.wire->Send(1, std::make_shared<const std::string>(std::move(message)));
  }
}

}  // namespace baton::sim
