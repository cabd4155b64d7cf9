#include "tests/chaos/pod.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "tests/demo/link/packet.h"
#include "tests/demo/model/topology.h"

namespace baton::chaos {

using demo::Received;

std::string FreeAddress() {
  UniqueFd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  CHECK_EQ(bind(probe.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  CHECK_EQ(getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  return absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
}

Pod::Pod(PodOptions options)
    : options_(std::move(options)),
      listen_(options_.place.here() ? FreeAddress() : options_.place.host + ":7421"),
      proxy_(options_.proxied && options_.place.here()
                 ? std::make_unique<CutProxy>(listen_, options_.seed)
                 : nullptr),
      agent_(absl::StrCat("agent of pod ", options_.number), [this] { return StartAgent(); }),
      engine_(absl::StrCat("engine of pod ", options_.number), [this] { return StartEngine(); }) {}

std::string Pod::server() const {
  return absl::StrCat(options_.prefill ? "prefill-" : "decode-", options_.number);
}

std::string Pod::Path(const char* suffix) const {
  return absl::StrCat(options_.folder, "/", options_.number, suffix);
}

absl::StatusOr<std::unique_ptr<demo::Child>> Pod::StartAgent() {
  const std::string reached_at = proxy_ == nullptr ? listen_ : proxy_->address();
  std::vector<std::string> words = {
      options_.programs.agent,
      "--bootstrap=" + options_.bootstrap,
      "--listen=" + listen_,
      "--advertise=" + reached_at,
      "--attach_socket=" + Path(".attach"),
      "--service_socket=" + service_socket(),
      "--transport=" + options_.transport,
      absl::StrCat("--checksums=", options_.checksums ? "true" : "false")};
  words.insert(words.end(), options_.agent_flags.begin(), options_.agent_flags.end());
  return demo::Child::Start(
      {agent_.name(), options_.place.Wrap(std::move(words)), Path(".agent.log")});
}

absl::StatusOr<std::unique_ptr<demo::Child>> Pod::StartEngine() {
  auto sockets = demo::MakePacketPair(std::chrono::seconds(10));
  if (!sockets.ok()) return sockets.status();
  auto child = demo::Child::Start({engine_.name(),
                                   options_.place.Wrap({options_.programs.engine, "--control_fd=3",
                                                        absl::StrCat("--name=", server())}),
                                   Path(".engine.log"), sockets->second.get()});
  if (!child.ok()) return child;
  link_ = std::move(sockets->first);
  attached_ = 0;
  ++launches_;
  absl::Status configured = Configure();
  if (!configured.ok()) return configured;
  return child;
}

absl::Status Pod::Configure() {
  demo::v1::ToEngine message;
  demo::v1::Configure& configure = *message.mutable_configure();
  configure.set_agent_socket(Path(".attach"));
  configure.set_server(server());
  configure.set_role(options_.prefill ? demo::v1::ROLE_PREFILL : demo::v1::ROLE_DECODE);
  configure.set_launch_id(absl::StrCat("launch-", launches_));
  configure.set_preset(options_.preset);
  configure.set_topology(options_.topology);
  configure.set_pool_tokens(options_.pool_tokens);
  configure.set_seed(options_.seed + launches_);
  configure.set_rooms_max(64);
  configure.set_attach_timeout_ms(60000);
  auto topology = demo::ParseTopology(options_.topology);
  if (!topology.ok()) return topology.status();
  for (const RankCoord& coord : demo::RanksOf(topology->sizes)) {
    demo::v1::Rank& rank = *configure.add_ranks();
    rank.set_dp(coord.dp);
    rank.set_pp(coord.pp);
    rank.set_cp(coord.cp);
    rank.set_tp(coord.tp);
  }
  CHECK_EQ(configure.ranks_size(), static_cast<int>(kRanks));
  return demo::SendPacket(link_.get(), message);
}

absl::Status Pod::Start() {
  absl::Status status = agent_.Start();
  if (status.ok()) status = engine_.Start();
  well_since_ = Monotonic::now();
  return status;
}

void Pod::Suffer(const Fault& fault, TimePoint now) {
  const TimePoint back = now + fault.lasts;
  switch (fault.kind) {
    case FaultKind::kKillAgent:
      agent_.Kill(back);
      break;
    case FaultKind::kDrainAgent:
      agent_.Drain(back);
      break;
    case FaultKind::kStopAgent:
      agent_.Stop(back);
      break;
    case FaultKind::kKillServer:
      engine_.Kill(back);
      break;
    case FaultKind::kStopEngine:
      engine_.Stop(back);
      break;
    case FaultKind::kKillPod:
      agent_.Kill(back);
      engine_.Kill(back);
      break;
    case FaultKind::kCutLinks:
      // Costs time and nothing else: the pod stays as well as it was.
      if (proxy_ != nullptr) proxy_->CutAll();
      return;
    case FaultKind::kSlowLinks: {
      if (proxy_ == nullptr) return;
      ProxyFaults faults;
      faults.delay = std::chrono::milliseconds(5);
      faults.jitter = std::chrono::milliseconds(40);
      proxy_->SetFaults(faults);
      slow_ = true;
      slow_until_ = back;
      return;
    }
    case FaultKind::kKillBootstrap:
    case FaultKind::kStopBootstrap:
    case FaultKind::kRestartBootstrap:
      return;
  }
  well_since_ = TimePoint::max();
}

absl::Status Pod::Heal(TimePoint now) {
  if (slow_ && now >= slow_until_) {
    slow_ = false;
    proxy_->SetFaults({});
  }
  for (Party* party : {&agent_, &engine_}) {
    absl::Status alive = party->Check();
    auto healed = party->Heal(now);
    if (!alive.ok()) return alive;
    if (!healed.ok()) return healed.status();
    if (*healed) well_since_ = now;
  }
  return absl::OkStatus();
}

TimePoint Pod::well_since() const {
  return agent_.up() && engine_ready() ? well_since_ : TimePoint::max();
}

void Pod::End() {
  engine_.End();
  agent_.End();
}

void Pod::Open(const demo::v1::OpenRoom& open) {
  demo::v1::ToEngine message;
  *message.mutable_open() = open;
  // A link that is closed has an engine that was killed, which the ledger knows.
  if (engine_.up()) demo::SendPacket(link_.get(), message).IgnoreError();
}

void Pod::Finish() {
  demo::v1::ToEngine message;
  message.mutable_finish();
  demo::SendPacket(link_.get(), message).IgnoreError();
}

absl::Status Pod::TakeReports(absl::FunctionRef<void(const demo::v1::FromEngine&)> take) {
  while (link_) {
    demo::v1::FromEngine message;
    auto received = demo::ReceivePacket(link_.get(), false, &message);
    if (!received.ok()) return received.status();
    if (*received != Received::kMessage) return absl::OkStatus();
    if (!message.has_attached()) {
      take(message);
    } else if (message.attached().error().empty()) {
      if (++attached_ == kRanks) well_since_ = Monotonic::now();
    } else {
      return Error(Reason::kSystem,
                   absl::StrCat(engine_.name(), " did not attach: ", message.attached().error()));
    }
  }
  return absl::OkStatus();
}

}  // namespace baton::chaos
