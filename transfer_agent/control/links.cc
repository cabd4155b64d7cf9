#include "transfer_agent/control/links.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/control/listen_address.h"

namespace baton::control {
namespace {

constexpr auto kBackoffFirst = std::chrono::milliseconds(20);
constexpr auto kBackoffCap = std::chrono::milliseconds(1000);
// Between two reports of a dialled address that does not answer.
constexpr auto kReportPeriod = std::chrono::seconds(5);

PeerCoreOptions CoreOptions(const PeerLinksOptions& options) {
  PeerCoreOptions core;
  core.unacked_bytes_max = options.unacked_bytes_max;
  core.frame_bytes_max = options.frame_bytes_max;
  core.heartbeat = options.heartbeat;
  core.silence = options.silence;
  return core;
}

}  // namespace

Links::Links(PeerLinksOptions options, PeerEvents* events, std::unique_ptr<Wires> wires)
    : options_(std::move(options)),
      core_options_(CoreOptions(options_)),
      events_(events),
      wires_(std::move(wires)) {
  CHECK(options_.epoch != Epoch()) << "an agent's epoch is drawn at its start";
}

Links::~Links() { Stop(); }

absl::Status Links::Start() {
  auto bound = wires_->Listen(options_.listen_address, [this](std::shared_ptr<Wire> wire) {
    return AcceptWire(std::move(wire));
  });
  if (!bound.ok()) return bound.status();
  auto address = AdvertisedAddress(options_.advertised_address, *bound);
  if (!address.ok()) return address.status();
  {
    MutexLock lock(&alarm_mu_);
    address_ = *std::move(address);
  }
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

std::string Links::address() const {
  MutexLock lock(&alarm_mu_);
  return address_;
}

void Links::Dial(const std::string& address) {
  {
    MutexLock lock(&mu_);
    const uint64_t seed = options_.epoch.value() ^ std::hash<std::string>()(address);
    targets_.try_emplace(address, Target{nullptr, TimePoint(),
                                         Backoff(kBackoffFirst, kBackoffCap, seed), TimePoint()});
  }
  WakeBy(TimePoint());
}

void Links::Undial(const std::string& address) {
  {
    MutexLock lock(&mu_);
    auto target = targets_.find(address);
    if (target == targets_.end()) return;
    if (target->second.link != nullptr) undialled_.push_back(target->second.link);
    targets_.erase(target);
  }
  // Not here: the caller may be inside an event of that link.
  WakeBy(TimePoint());
}

absl::Status Links::Send(PeerId peer, Priority priority, v1::Frame frame) {
  std::shared_ptr<Link> link;
  {
    MutexLock lock(&mu_);
    auto found = links_.find(peer);
    if (found == links_.end()) return Error(Reason::kPeerLost, "the peer is down");
    link = found->second;
  }
  return link->Send(priority, EncodeBody(std::move(frame)));
}

void Links::SetAnnounced(v1::Announce announce) {
  v1::Frame frame;
  *frame.mutable_announce() = std::move(announce);
  Body body = EncodeBody(std::move(frame));
  if (body->size() > options_.frame_bytes_max) {
    LOG(ERROR) << "agent: what it hosts takes " << body->size() << " bytes to announce; at most "
               << options_.frame_bytes_max << ": its peers keep the announcement before";
    return;
  }
  MutexLock announce_lock(&announce_mu_);
  std::vector<std::shared_ptr<Link>> links;
  {
    MutexLock lock(&mu_);
    announce_ = body;
    for (const auto& [id, link] : links_) links.push_back(link);
  }
  for (const auto& link : links) link->Announce(body);
}

void Links::Leave(absl::string_view why, std::chrono::milliseconds patience) {
  v1::Frame frame;
  frame.mutable_goodbye()->set_why(std::string(why));
  const Body body = EncodeBody(std::move(frame));
  {
    MutexLock lock(&mu_);
    leaving_ = true;
  }
  for (const auto& link : AllLinks()) link->SayGoodbye(body);
  const TimePoint until = Monotonic::now() + patience;
  auto any_up = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return std::any_of(links_.begin(), links_.end(),
                       [](const auto& link) { return link.second->was_up(); });
  };
  MutexLock lock(&mu_);
  while (any_up() && Monotonic::now() < until) ended_.WaitUntil(&mu_, until);
}

std::vector<PeerLinkStatus> Links::Status() const {
  std::vector<PeerLinkStatus> all;
  for (const auto& link : AllLinks()) all.push_back(link->Status());
  return all;
}

void Links::Stop() {
  {
    MutexLock lock(&mu_);
    if (std::exchange(stopping_, true)) return;
  }
  {
    MutexLock lock(&alarm_mu_);
    stop_ = true;
    alarm_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
  for (const auto& link : AllLinks()) link->Silence();
  wires_->Shutdown();
}

std::vector<std::shared_ptr<Link>> Links::AllLinks() const {
  std::vector<std::shared_ptr<Link>> all;
  MutexLock lock(&mu_);
  all.reserve(links_.size());
  for (const auto& [id, link] : links_) all.push_back(link);
  return all;
}

std::shared_ptr<Wire> Links::DialWire(const std::string& address, std::shared_ptr<StreamEnd> end) {
  return wires_->Dial(address, std::move(end));
}

bool Links::ReportDue(const std::string& address) {
  MutexLock lock(&mu_);
  auto target = targets_.find(address);
  if (target == targets_.end()) return false;
  const TimePoint now = Monotonic::now();
  if (now < target->second.report_after) return false;
  target->second.report_after = now + kReportPeriod;
  return true;
}

}  // namespace baton::control
