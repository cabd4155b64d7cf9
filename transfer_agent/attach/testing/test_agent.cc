#include "transfer_agent/attach/testing/test_agent.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/reason.h"

namespace baton::attach {
namespace {

using shm_abi::RoomState;
using shm_abi::SlotRef;

constexpr int kBeatMs = 10;

void End(AttachedRank& rank, SlotRef ref, RoomState state) {
  rank.table->Publish(ref.slot, {ref.generation, state, true});
}

}  // namespace

SocketFolder::SocketFolder() {
  char name[] = "/tmp/baton-XXXXXX";
  CHECK(mkdtemp(name) != nullptr);
  path_ = name;
}

SocketFolder::~SocketFolder() {
  unlink(socket().c_str());
  rmdir(path_.c_str());
}

TestAgent::TestAgent(AttachOptions options) : options_(std::move(options)) {}

absl::Status TestAgent::Start() {
  absl::StatusOr<std::unique_ptr<AttachServer>> server = AttachServer::Start(options_, this);
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  worker_ = std::thread([this] { RunOnWorker(); });
  return absl::OkStatus();
}

void TestAgent::Stop() {
  if (server_ != nullptr) server_->Stop();
  stop_.store(true);
  if (worker_.joinable()) worker_.join();
  MutexLock lock(&mu_);
  ranks_.clear();
}

absl::Status TestAgent::OnAttach(std::unique_ptr<AttachedRank> rank) {
  MutexLock lock(&mu_);
  for (const auto& [id, other] : ranks_) {
    if (other->rank == rank->rank) {
      return Error(Reason::kNotReady, "the rank's former attachment is being ended", rank->rank);
    }
  }
  AttachmentId id = rank->id;
  ranks_[id] = std::move(rank);
  attached_.fetch_add(1);
  return absl::OkStatus();
}

void TestAgent::OnDetach(AttachmentId id) {
  MutexLock lock(&mu_);
  ranks_.erase(id);
  detached_.fetch_add(1);
}

void TestAgent::WithRanks(std::function<void(AttachedRank&)> work) {
  MutexLock lock(&mu_);
  for (auto& [id, rank] : ranks_) work(*rank);
}

void TestAgent::DropRanks() {
  MutexLock lock(&mu_);
  ranks_.clear();
}

void TestAgent::GoWell(AttachedRank& rank, const shm_abi::Command& command) {
  if (auto* open = std::get_if<shm_abi::OpenSend>(&command)) {
    rank.table->SetPrefix(open->slot.slot, 7);
    rank.table->Publish(open->slot.slot, {open->slot.generation, RoomState::kOffered, false});
  } else if (auto* open = std::get_if<shm_abi::OpenReceive>(&command)) {
    rank.table->SetBytes(open->slot.slot, open->total_tokens);
    End(rank, open->slot, RoomState::kDone);
  } else if (auto* send = std::get_if<shm_abi::Send>(&command)) {
    rank.table->SetBytes(send->slot.slot, send->token_end);
    if (send->last) End(rank, send->slot, RoomState::kDone);
  } else if (auto* abort = std::get_if<shm_abi::Abort>(&command)) {
    rank.table->SetCause(abort->slot.slot, Error(Reason::kAborted, abort->why, rank.rank));
    End(rank, abort->slot, RoomState::kFailed);
  } else if (auto* watch = std::get_if<shm_abi::WatchPeer>(&command)) {
    rank.table->PublishPeer(watch->peer.peer,
                            {watch->peer.generation, shm_abi::PeerState::kReady, false, 1,
                             Incarnation(1), watch->server, absl::OkStatus()});
  }
}

bool TestAgent::ServeOnWorker() {
  MutexLock lock(&mu_);
  bool any = false;
  for (auto& [id, rank] : ranks_) {
    rank->table->Heartbeat();
    while (true) {
      absl::StatusOr<std::optional<shm_abi::Command>> next = rank->ring->Next();
      if (!next.ok()) {
        server_->Detach(id);
        break;
      }
      if (!next->has_value()) break;
      script_(*rank, **next);
      served_.fetch_add(1);
      any = true;
    }
  }
  return any;
}

// Announce, look once more, and only then sleep.
void TestAgent::SleepOnWorker() {
  std::vector<pollfd> bells;
  bool empty = true;
  {
    MutexLock lock(&mu_);
    for (auto& [id, rank] : ranks_) {
      rank->table->SetAsleep(true);
      empty = empty && rank->ring->Empty();
      // A copy: the rank may go while we sleep.
      bells.push_back({dup(rank->doorbell.get()), POLLIN, 0});
    }
  }
  if (empty) {
    sleeps_.fetch_add(1);
    poll(bells.data(), bells.size(), kBeatMs);
  }
  for (pollfd& bell : bells) {
    uint64_t rings;
    (void)!read(bell.fd, &rings, sizeof(rings));
    close(bell.fd);
  }
  MutexLock lock(&mu_);
  for (auto& [id, rank] : ranks_) rank->table->SetAsleep(false);
}

void TestAgent::RunOnWorker() {
  while (!stop_.load()) {
    if (frozen_.load()) {
      poll(nullptr, 0, 1);
    } else if (!ServeOnWorker() && !spin_.load()) {
      SleepOnWorker();
    }
  }
}

}  // namespace baton::attach
