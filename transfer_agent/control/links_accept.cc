// Who may join: accepted wires, from their Hello to their link.
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/control/links.h"

namespace baton::control {

std::shared_ptr<WireEvents> Links::AcceptWire(std::shared_ptr<Wire> wire) {
  auto end = std::make_shared<StreamEnd>(this, wire);
  const TimePoint by = Monotonic::now() + options_.silence;
  bool full;
  {
    MutexLock lock(&mu_);
    // Two for each peer that may be there.
    full = stopping_ || leaving_ || ungreeted_.size() >= 2 * options_.peers_max;
    if (!full) ungreeted_[end.get()] = {wire, by};
  }
  if (full) {
    wire->Close(Error(Reason::kFull, "too many streams wait for their hello"));
    Retire(std::move(wire));
    return end;
  }
  wire->Read();
  WakeBy(by);
  return end;
}

void Links::Greet(const std::shared_ptr<StreamEnd>& end, absl::StatusOr<v1::Frame> frame) {
  std::shared_ptr<Link> replaced;
  auto hello = frame.ok() ? ParseHello(*frame) : absl::StatusOr<Hello>(frame.status());
  auto link = hello.ok() ? FindAccepted(*hello, &replaced)
                         : absl::StatusOr<std::shared_ptr<Link>>(hello.status());
  if (replaced != nullptr) {
    replaced->End(Error(Reason::kPeerLost, absl::StrCat("the agent at ", hello->address,
                                                        " restarted, or gave up this link")));
  }
  absl::Status joined = link.status();
  if (link.ok()) {
    OnUngreetedClosed(end.get());
    end->Join(*link, hello->priority);
    joined = (*link)->Adopt(end, *hello);
  }
  if (joined.ok()) return;
  // A peer that begins again hears STALE_EPOCH as a matter of course.
  if (ReasonOf(joined) != Reason::kStaleEpoch) {
    LOG(WARNING) << "peer " << (hello.ok() ? hello->address : "(unknown)")
                 << ": its stream is refused: " << joined;
  }
  end->wire()->Close(joined);
  Retire(end->shared_wire());
}

void Links::OnUngreetedClosed(StreamEnd* end) {
  MutexLock lock(&mu_);
  ungreeted_.erase(end);
}

absl::StatusOr<std::shared_ptr<Link>> Links::FindAccepted(const Hello& hello,
                                                          std::shared_ptr<Link>* replaced) {
  const bool resumes = hello.peer_epoch != Epoch();
  if (resumes && hello.peer_epoch != options_.epoch) {
    return Error(Reason::kStaleEpoch, absl::StrCat("the agent at ", address(), " restarted"));
  }
  MutexLock lock(&mu_);
  if (stopping_ || leaving_) return Error(Reason::kPeerLost, "the agent stops");
  auto found = accepted_.find(hello.address);
  if (found != accepted_.end()) {
    const Link& known = *found->second;
    const bool same_process = known.accepted_epoch() == hello.epoch;
    if (same_process && known.number() == hello.link) return found->second;
    if (resumes || (same_process && hello.link < known.number())) {
      return Error(Reason::kStaleEpoch, "the link was replaced by a newer one");
    }
    *replaced = found->second;
  } else if (resumes) {
    return Error(Reason::kStaleEpoch,
                 absl::StrCat("the agent at ", address(), " gave up this link: begin a new one"));
  } else if (accepted_.size() >= options_.peers_max) {
    return Error(Reason::kPeerRefused, absl::StrCat("the agent at ", address(), " has ",
                                                    accepted_.size(), " peers, its most"));
  }
  PeerInfo peer;
  peer.address = hello.address;
  peer.epoch = hello.epoch;
  peer.planner_version = hello.planner_version;
  return accepted_[hello.address] = NewLink(std::move(peer), hello.link);
}

std::shared_ptr<Link> Links::NewLink(PeerInfo peer, uint64_t number) {
  peer.id = PeerId(++last_peer_id_);
  const PeerId id = peer.id;
  auto link = std::make_shared<Link>(core_options_, std::move(peer), number, this, events_);
  // Numbered before the link is known to anyone: nothing can overtake it.
  if (announce_ != nullptr) link->Announce(announce_);
  links_[id] = link;
  return link;
}

void Links::OnLinkDown(const std::shared_ptr<Link>& link) {
  const bool was_up = link->was_up();
  MutexLock lock(&mu_);
  links_.erase(link->id());
  ended_.NotifyAll();
  if (!link->dialled()) {
    auto found = accepted_.find(link->address());
    if (found != accepted_.end() && found->second == link) accepted_.erase(found);
    return;
  }
  auto target = targets_.find(link->address());
  if (target == targets_.end() || target->second.link != link) return;
  if (was_up) target->second.backoff.Reset();
  target->second.link = nullptr;
  target->second.retry_at = Monotonic::now() + target->second.backoff.Next();
  WakeBy(target->second.retry_at);
}

}  // namespace baton::control
