#include "tests/demo/runner/cluster.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/reason.h"
#include "tests/demo/link/packet.h"
#include "tests/demo/runner/control_calls.h"
#include "tests/demo/runner/pause.h"

namespace baton::demo {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kRanksOfAnAgent = 64;
// Pods with more ranks have one engine process instead of one for each rank.
constexpr size_t kEnginesOfAPod = 4;
constexpr size_t kTailLines = 15;

std::vector<std::vector<RankCoord>> Cut(const std::vector<RankCoord>& ranks, size_t parts) {
  std::vector<std::vector<RankCoord>> cut(parts);
  for (size_t i = 0; i < ranks.size(); ++i) cut[i * parts / ranks.size()].push_back(ranks[i]);
  return cut;
}

v1::Rank ToProto(const RankCoord& coord) {
  v1::Rank rank;
  rank.set_dp(coord.dp);
  rank.set_pp(coord.pp);
  rank.set_cp(coord.cp);
  rank.set_tp(coord.tp);
  return rank;
}

// Of no other run: a bootstrap service that outlives this one knows the last run's.
std::string DrawLaunchId() {
  return absl::StrCat("demo-", std::chrono::system_clock::now().time_since_epoch().count(), "-",
                      getpid());
}

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return file.eof() ? "" : line;  // not complete without its newline
}

}  // namespace

Cluster::Cluster(ClusterOptions options)
    : options_(std::move(options)), launch_id_(DrawLaunchId()) {}

absl::StatusOr<std::unique_ptr<Cluster>> Cluster::Start(ClusterOptions options) {
  std::unique_ptr<Cluster> cluster(new Cluster(std::move(options)));
  absl::Status started = cluster->StartAll();
  if (!started.ok()) return started;
  return cluster;
}

Cluster::~Cluster() {
  for (auto process = processes_.rbegin(); process != processes_.rend(); ++process) {
    (*process)->Terminate();
  }
  const auto deadline = steady_clock::now() + milliseconds(3000);
  for (auto process = processes_.rbegin(); process != processes_.rend(); ++process) {
    (*process)->Reap(deadline);
  }
}

absl::Status Cluster::StartAll() {
  deadline_ = steady_clock::now() + options_.start_timeout;
  absl::Status status = StartBootstrap();
  for (const ServerPlan& server : options_.servers) {
    if (status.ok()) status = StartAgents(server);
  }
  for (const Agent& agent : agents_) {
    if (!status.ok()) break;
    // Engines wait for an agent by themselves.
    if (agent.here) status = AwaitFile(agent.service_socket + ".port").status();
    if (status.ok()) status = StartEngines(agent);
  }
  if (status.ok()) status = AwaitAttached();
  std::vector<std::string> names;
  for (const ServerPlan& server : options_.servers) names.push_back(server.name);
  if (!status.ok()) return status;
  status = WaitUntilReady(bootstrap_address_, names, deadline_, [this] { return Check(); });
  return status.ok() ? AwaitRegistered() : status;
}

// The service may call a server ready a moment before the last agent has its answer.
absl::Status Cluster::AwaitRegistered() {
  for (const Agent& agent : agents_) {
    while (agent.here) {
      auto status = AgentStatus(agent.service_socket, milliseconds(5000));
      if (!status.ok()) return status.status();
      auto registered = [](const auto& rank) { return rank.registered(); };
      if (std::all_of(status->ranks().begin(), status->ranks().end(), registered)) break;
      if (steady_clock::now() > deadline_) {
        return Error(Reason::kDeadline,
                     agent.process->name() + " has ranks that are not registered");
      }
      Pause(milliseconds(5));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Child*> Cluster::Run(const std::string& name, std::vector<std::string> argv,
                                    int inherited_fd) {
  auto child = Child::Start({name, std::move(argv), Path(name + ".log"), inherited_fd});
  if (!child.ok()) return child.status();
  processes_.push_back(*std::move(child));
  return processes_.back().get();
}

absl::Status Cluster::Check() {
  for (auto& process : processes_) {
    if (process->Running()) continue;
    return Error(Reason::kSystem,
                 absl::StrCat(process->name(), " ", process->State(), "; the end of its log:\n",
                              process->LogTail(kTailLines)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Cluster::AwaitFile(const std::string& path) {
  while (true) {
    std::string line = FirstLine(path);
    if (!line.empty()) return line;
    absl::Status alive = Check();
    if (!alive.ok()) return alive;
    if (steady_clock::now() > deadline_) {
      return Error(Reason::kDeadline, absl::StrCat(path, " did not appear"));
    }
    Pause(milliseconds(2));
  }
}

const std::string& Cluster::HostOf(const ServerPlan& server) const {
  return server.role == v1::ROLE_DECODE ? options_.decode_on : options_.prefill_on;
}

std::vector<std::string> Cluster::On(const std::string& host, bool has_control,
                                     std::vector<std::string> argv) const {
  if (host.empty()) return argv;
  std::vector<std::string> words = {options_.programs.remote, "--to=" + host};
  if (has_control) words.emplace_back("--control");
  words.insert(words.end(), argv.begin(), argv.end());
  return words;
}

absl::Status Cluster::StartBootstrap() {
  if (!options_.bootstrap.empty()) {
    bootstrap_address_ = options_.bootstrap;
    return absl::OkStatus();
  }
  const std::string port_file = Path("bootstrap.port");
  auto started =
      Run("bootstrap", {options_.programs.bootstrap, "--listen=" + options_.bootstrap_listen,
                        "--port_file=" + port_file,
                        // It has no past: nothing of before can still be alive.
                        "--settle=none"});
  if (!started.ok()) return started.status();
  auto port = AwaitFile(port_file);
  if (!port.ok()) return port.status();
  // A port alone, or the whole address.
  bool whole = port->find(':') != std::string::npos;
  bootstrap_address_ = whole ? *port : absl::StrCat("127.0.0.1:", *port);
  return absl::OkStatus();
}

absl::Status Cluster::StartAgents(const ServerPlan& server) {
  const std::string& other = HostOf(server);
  if (!options_.attach_socket.empty()) {
    Agent agent;
    agent.server = &server;
    agent.ranks = server.ranks;
    agent.here = false;
    agent.attach_socket = options_.attach_socket;
    agents_.push_back(std::move(agent));
    return absl::OkStatus();
  }
  // A prefill server of several ranks lies in two pods at least.
  size_t pods = server.role == v1::ROLE_PREFILL && server.ranks.size() > 1 ? 2 : 1;
  pods = std::max(pods, (server.ranks.size() + kRanksOfAnAgent - 1) / kRanksOfAnAgent);
  for (std::vector<RankCoord>& ranks : Cut(server.ranks, pods)) {
    Agent agent;
    const std::string name = absl::StrCat("agent-", agents_.size());
    agent.server = &server;
    agent.ranks = std::move(ranks);
    agent.here = other.empty();
    // The other host has no folder of ours: there, names are below that of demo_host.
    agent.attach_socket = agent.here ? Path(name + ".attach") : name + ".attach";
    agent.service_socket = agent.here ? Path(name + ".service") : name + ".service";
    const std::string host = agent.here ? options_.host : other.substr(0, other.rfind(':'));
    auto process = Run(
        name, On(other, false,
                 {options_.programs.agent, "--bootstrap=" + bootstrap_address_,
                  absl::StrCat("--listen=", host, ":0"), "--attach_socket=" + agent.attach_socket,
                  "--service_socket=" + agent.service_socket, "--transport=" + options_.transport,
                  absl::StrCat("--silence_ms=", options_.silence_ms),
                  absl::StrCat("--checksums=", options_.checksums ? "true" : "false"),
                  absl::StrCat("--port_file=", agent.service_socket, ".port")}));
    if (!process.ok()) return process.status();
    agent.process = *process;
    agents_.push_back(std::move(agent));
  }
  return absl::OkStatus();
}

absl::Status Cluster::StartEngines(const Agent& agent) {
  const size_t processes = agent.ranks.size() <= kEnginesOfAPod ? agent.ranks.size() : 1;
  for (std::vector<RankCoord>& ranks : Cut(agent.ranks, processes)) {
    absl::Status started = StartEngine(agent, std::move(ranks));
    if (!started.ok()) return started;
  }
  return absl::OkStatus();
}

absl::Status Cluster::StartEngine(const Agent& agent, std::vector<RankCoord> ranks) {
  auto sockets = MakePacketPair(milliseconds(10000));
  if (!sockets.ok()) return sockets.status();
  Engine engine;
  engine.link.name = absl::StrCat("engine-", engines_.size());
  engine.link.server = agent.server->name;
  engine.link.role = agent.server->role;
  engine.link.ranks = std::move(ranks);
  engine.socket = std::move(sockets->first);
  engine.link.fd = engine.socket.get();
  auto process = Run(engine.link.name,
                     On(HostOf(*agent.server), true,
                        {options_.programs.engine, "--control_fd=3",
                         absl::StrCat("--name=", agent.server->name, ":", engine.link.name)}),
                     sockets->second.get());
  if (!process.ok()) return process.status();
  v1::ToEngine message;
  v1::Configure& configure = *message.mutable_configure();
  configure.set_agent_socket(agent.attach_socket);
  configure.set_server(agent.server->name);
  configure.set_role(agent.server->role);
  configure.set_launch_id(launch_id_);
  configure.set_preset(options_.preset);
  configure.set_topology(agent.server->topology);
  configure.set_pool_tokens(options_.pool_tokens);
  configure.set_seed(options_.seed + engines_.size() * 1000);
  configure.set_rooms_max(options_.rooms_max);
  configure.set_attach_timeout_ms(options_.start_timeout.count());
  for (const RankCoord& rank : engine.link.ranks) *configure.add_ranks() = ToProto(rank);
  absl::Status sent = SendPacket(engine.link.fd, message);
  engines_.push_back(std::move(engine));
  return sent;
}

absl::Status Cluster::AwaitAttached() {
  for (const Engine& engine : engines_) {
    for (size_t attached = 0; attached < engine.link.ranks.size();) {
      pollfd ready{engine.link.fd, POLLIN, 0};
      poll(&ready, 1, 20);
      v1::FromEngine message;
      absl::StatusOr<Received> received = ReceivePacket(engine.link.fd, false, &message);
      if (!received.ok()) return received.status();
      absl::Status alive = Check();
      if (!alive.ok()) return alive;
      if (steady_clock::now() > deadline_) {
        return Error(Reason::kDeadline, absl::StrCat(engine.link.name, " did not attach"));
      }
      if (*received != Received::kMessage || !message.has_attached()) continue;
      if (!message.attached().error().empty()) {
        return Error(Reason::kSystem,
                     absl::StrCat(engine.link.name, ": ", message.attached().error()));
      }
      pool_bytes_ += message.attached().pool_bytes();
      ++attached;
    }
  }
  return absl::OkStatus();
}

std::vector<EngineLink> Cluster::Links() const {
  std::vector<EngineLink> links;
  for (const Engine& engine : engines_) links.push_back(engine.link);
  return links;
}

absl::StatusOr<AgentTotals> Cluster::Totals() {
  AgentTotals totals;
  for (const Agent& agent : agents_) {
    if (!agent.here) continue;
    auto status = AgentStatus(agent.service_socket, milliseconds(5000));
    if (!status.ok()) return status.status();
    totals.bytes_landed += status->bytes_landed();
    totals.bytes_copied += status->bytes_copied();
    for (const auto& peer : status->peers()) {
      auto& seen = totals.transports;
      const std::string& name = peer.transport();
      if (name.empty() || std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
      seen.push_back(name);
    }
  }
  return totals;
}

std::string Cluster::AgentLogs() const {
  std::string text;
  for (const Agent& agent : agents_) {
    if (agent.process == nullptr) continue;
    absl::StrAppend(&text, "the end of the log of ", agent.process->name(), " (",
                    agent.server->name, "):\n", agent.process->LogTail(kTailLines), "\n");
  }
  return text;
}

}  // namespace baton::demo
