#include "transfer_agent/app/agent.h"

#include <algorithm>
#include <future>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "common/version.h"
#include "transfer_agent/app/host_key.h"
#include "transfer_agent/app/transports.h"

namespace baton::agent {
namespace {

Epoch DrawEpoch() {
  std::random_device random;
  uint64_t value = 0;
  // 0 means "not known" on the wire.
  while (value == 0) value = (uint64_t{random()} << 32) | random();
  return Epoch(value);
}

}  // namespace

Agent::Agent(const Options& options)
    : options_(options),
      epoch_(DrawEpoch()),
      host_key_(HostKey(options.shm_folder)),
      load_board_(std::make_shared<LoadBoard>(options.workers)),
      ranks_of_worker_(options.workers),
      announced_(options.workers) {}

absl::StatusOr<std::unique_ptr<Agent>> Agent::Start(const Options& options, grpc::Service* beside) {
  std::unique_ptr<Agent> agent(new Agent(options));
  if (absl::Status status = agent->Build(beside); !status.ok()) {
    agent->Stop();
    return status;
  }
  return agent;
}

Agent::~Agent() { Stop(); }

absl::Status Agent::Build(grpc::Service* beside) {
  CheckHost();
  for (uint32_t i = 0; i < options_.workers; ++i) {
    if (absl::Status status = BuildWorker(i); !status.ok()) return status;
  }
  control::PeerLinksOptions links;
  links.listen_address = options_.listen;
  links.advertised_address = options_.advertise;
  links.epoch = epoch_;
  links.heartbeat = std::chrono::milliseconds(options_.heartbeat_ms);
  links.beside = beside;
  links.silence = std::chrono::milliseconds(options_.silence_ms);
  links.abort_leg = [this](const RoomKey& room, const std::string& why) {
    PostAll(worker::Lane::kUrgent, [room, why](worker::WorkerCore& core, TimePoint now) {
      core.AbortRoom(room, std::nullopt, why, now);
    });
  };
  links_ = control::MakePeerLinks(links, this);
  if (absl::Status status = links_->Start(); !status.ok()) return status;
  RegistrarOptions registrar;
  registrar.bootstrap_address = options_.bootstrap;
  registrar.agent_address = links_->address();
  registrar.epoch = epoch_;
  registrar_ = MakeRegistrar(registrar, this);
  DirectoryOptions directory;
  directory.bootstrap_address = options_.bootstrap;
  directory_ = MakeDirectory(directory, this);
  for (const auto& worker : workers_) worker->Start();
  attach::AttachOptions attach;
  attach.socket_path = options_.attach_socket;
  attach.epoch = epoch_;
  attach.version = kVersionText;
  attach.ranks_max = options_.ranks_max;
  attach.socket_mode = SocketMode(options_);
  auto server = attach::AttachServer::Start(attach, this);
  if (!server.ok()) {
    return Error(ReasonOf(server.status()),
                 absl::StrCat("--attach_socket: ", server.status().message()));
  }
  attach_ = *std::move(server);
  LOG(INFO) << "agent epoch " << epoch_.value() << " serves control streams on "
            << links_->address() << ", engines on " << options_.attach_socket << ", transport "
            << options_.transport << ", " << options_.workers << " workers";
  return absl::OkStatus();
}

absl::Status Agent::BuildWorker(uint32_t index) {
  auto made = MakeTransports(options_);
  if (!made.ok()) return made.status();
  std::vector<std::unique_ptr<transport::Transport>> transports = std::move(made->transports);
  ports_.insert(ports_.end(), made->ports.begin(), made->ports.end());
  if (index == 0) {
    transports_ = std::move(made->status);
    for (const v1::TransportStatus& t : transports_) {
      LOG(INFO) << "transport " << t.name() << (t.on() ? ": " : " is off: ") << t.summary();
      for (const std::string& candidate : t.candidates()) {
        LOG(INFO) << "transport " << t.name() << " candidate: " << candidate;
      }
    }
  }
  std::vector<transport::Transport*> borrowed;
  borrowed.reserve(transports.size());
  for (const auto& transport : transports) borrowed.push_back(transport.get());
  worker::WorkerLimits limits;
  limits.held_offers_max = options_.held_offers;
  limits.held_offer_bytes_max = options_.held_offer_bytes;
  auto core = std::make_unique<worker::WorkerCore>(
      index, epoch_, host_key_, limits, options_.checksums, borrowed, this,
      [this, index](std::vector<v1::RankAnnouncement> ranks) {
        SetAnnounced(index, std::move(ranks));
      });
  workers_.push_back(std::make_unique<worker::Worker>(std::move(core), std::move(transports),
                                                      std::chrono::microseconds(options_.spin_us)));
  return absl::OkStatus();
}

void Agent::SetAnnounced(uint32_t worker, std::vector<v1::RankAnnouncement> ranks) {
  v1::Announce all;
  MutexLock lock(&announce_mu_);
  announced_[worker] = std::move(ranks);
  for (const auto& of_worker : announced_) {
    for (const v1::RankAnnouncement& rank : of_worker) *all.add_ranks() = rank;
  }
  // Under the lock, so that two workers' changes arrive in the order of the lists.
  links_->SetAnnounced(std::move(all));
}

void Agent::PostAll(worker::Lane lane,
                    const std::function<void(worker::WorkerCore&, TimePoint)>& task) {
  for (size_t i = 0; i < workers_.size(); ++i) {
    if (workers_[i]->Post(lane, task)) continue;
    LOG(ERROR) << "worker " << i << ": its inbox is full, and an event is lost: is it stuck? See "
               << "/healthz, restart the agent";
  }
}

void Agent::PostRank(const RankRef& rank, worker::Worker::Task task) {
  uint32_t worker = 0;
  {
    MutexLock lock(&mu_);
    auto it = by_rank_.find(rank);
    if (it == by_rank_.end()) return;
    worker = hosted_[it->second].worker;
  }
  workers_[worker]->Post(worker::Lane::kUrgent, std::move(task));
}

uint32_t Agent::PickWorker() {
  return std::min_element(ranks_of_worker_.begin(), ranks_of_worker_.end()) -
         ranks_of_worker_.begin();
}

bool Agent::IsReleasing(const RankRef& rank) {
  for (const auto& worker : workers_) {
    std::promise<bool> releasing;
    auto task = [&](worker::WorkerCore& core, TimePoint) {
      releasing.set_value(core.IsReleasing(rank));
    };
    if (worker->Post(worker::Lane::kUrgent, task) && releasing.get_future().get()) return true;
  }
  return false;
}

absl::Status Agent::OnAttach(std::unique_ptr<attach::AttachedRank> rank) {
  // An engine that was let go and lives takes its acceptance for the word that its pages are free.
  if (IsReleasing(rank->rank)) {
    return Error(Reason::kSettling, "the rooms of this rank's last engine are still being fenced",
                 rank->rank);
  }
  const AttachmentId id = rank->id;
  RankRegistration registration{rank->rank, rank->role,   rank->launch_id, rank->model,
                                rank->spec, rank->labels, rank->aliases};
  uint32_t worker = 0;
  {
    MutexLock lock(&mu_);
    if (draining_) return Error(Reason::kDraining, "this agent is draining", rank->rank);
    if (by_rank_.contains(rank->rank)) {
      return Error(Reason::kSettling, "another engine is attached as this rank", rank->rank);
    }
    worker = PickWorker();
    ++ranks_of_worker_[worker];
    hosted_[id].rank = rank->rank;
    hosted_[id].worker = worker;
    by_rank_[rank->rank] = id;
  }
  // A GPU's context takes its time: not the worker's, who has rooms to serve.
  workers_[worker]->Prepare(*rank);
  std::promise<absl::Status> added;
  // The engine waits for this answer: its pools are registered before it may open rooms.
  const bool posted = workers_[worker]->Post(worker::Lane::kUrgent,
                                             [&added, &rank](worker::WorkerCore& core, TimePoint) {
                                               added.set_value(core.AddRank(std::move(rank)));
                                             });
  absl::Status status =
      posted ? added.get_future().get() : Error(Reason::kDraining, "this agent is stopping");
  if (!status.ok()) {
    MutexLock lock(&mu_);
    by_rank_.erase(registration.rank);
    hosted_.erase(id);
    --ranks_of_worker_[worker];
    return status;
  }
  registrar_->Add(std::move(registration));
  return absl::OkStatus();
}

void Agent::OnDetach(AttachmentId id) {
  Hosted hosted;
  {
    MutexLock lock(&mu_);
    auto it = hosted_.find(id);
    if (it == hosted_.end()) return;
    hosted = it->second;
    hosted_.erase(it);
    by_rank_.erase(hosted.rank);
    --ranks_of_worker_[hosted.worker];
  }
  LOG(INFO) << ToString(hosted.rank) << ": its engine has left";
  registrar_->Remove(hosted.rank);
  auto gone = std::make_shared<std::promise<void>>();
  std::future<void> fenced = gone->get_future();
  const bool posted = workers_[hosted.worker]->Post(
      worker::Lane::kUrgent, [id, gone](worker::WorkerCore& core, TimePoint now) {
        core.EngineGone(id, now);
        gone->set_value();
      });
  // Before the rank may attach again: see IsReleasing.
  if (posted) fenced.wait_for(std::chrono::seconds(2));
}

void Agent::Detach(AttachmentId id) {
  if (attach_ != nullptr) attach_->Detach(id);
}

void Agent::BeginDrain() {
  std::vector<RankRef> ranks;
  {
    MutexLock lock(&mu_);
    draining_ = true;
    for (const auto& [rank, id] : by_rank_) ranks.push_back(rank);
  }
  for (const RankRef& rank : ranks) {
    PostRank(rank, [rank](worker::WorkerCore& core, TimePoint) {
      core.OnNotAccepting(rank, Error(Reason::kDraining, "this agent is draining", rank));
    });
    registrar_->Remove(rank);
  }
}

bool Agent::draining() {
  MutexLock lock(&mu_);
  return draining_;
}

uint32_t Agent::RoomsUnderWay() {
  uint32_t rooms = 0;
  for (const auto& worker : workers_) {
    std::promise<uint32_t> counted;
    auto task = [&counted](worker::WorkerCore& core, TimePoint) {
      counted.set_value(core.rooms_under_way());
    };
    if (worker->Post(worker::Lane::kUrgent, task)) rooms += counted.get_future().get();
  }
  return rooms;
}

void Agent::Stop() {
  if (stopped_) return;
  stopped_ = true;
  if (attach_ != nullptr) attach_->Stop();
  if (registrar_ != nullptr) registrar_->Stop(std::chrono::milliseconds(500));
  if (directory_ != nullptr) directory_->Stop();
  // After the engines' rooms have failed here, and before the workers can answer nobody.
  if (links_ != nullptr) links_->Leave("it was told to end", std::chrono::milliseconds(300));
  for (const auto& worker : workers_) worker->Stop();
  if (links_ != nullptr) links_->Stop();
}

}  // namespace baton::agent
