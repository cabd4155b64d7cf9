#include "transfer_agent/worker/channel_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/rpc/error_detail.h"
#include "common/reason.h"
#include "transfer_agent/worker/worker_context.h"

namespace baton::worker {

absl::StatusOr<transport::ChannelId> ChannelTable::Get(transport::PeerId peer, uint32_t peer_worker,
                                                       transport::Transport* transport,
                                                       TimePoint now) {
  Route route{peer, peer_worker, transport};
  auto routed = routes_.find(route);
  if (routed != routes_.end() && !transport->Superseded(routed->second)) return routed->second;
  auto opened = transport->Open(peer);
  if (!opened.ok()) {
    if (routed != routes_.end()) return routed->second;
    return opened.status();
  }
  v1::Frame frame;
  frame.set_to_worker(peer_worker);
  v1::ChannelOpen* open = frame.mutable_channel_open();
  open->set_channel(opened->id.value());
  open->set_source_worker(worker_);
  open->set_target_worker(peer_worker);
  open->set_transport(std::string(transport->capabilities().name));
  open->set_data(opened->data);
  if (absl::Status sent = outbox_->Send(peer, control::Priority::kBulk, std::move(frame));
      !sent.ok()) {
    transport->Close(opened->id);
    return sent;
  }
  channels_.emplace(ChannelKey{transport, opened->id},
                    Channel{peer, peer_worker,
                            StateMachine<ChannelState, ChannelEvent>(
                                "channel", absl::MakeConstSpan(kChannelRows), ChannelState::kAsked),
                            now});
  routes_[route] = opened->id;
  return opened->id;
}

bool ChannelTable::IsUp(transport::Transport* transport, transport::ChannelId id) const {
  auto it = channels_.find(ChannelKey{transport, id});
  return it != channels_.end() && it->second.machine.state() == ChannelState::kUp;
}

std::optional<transport::PeerId> ChannelTable::PeerOf(transport::Transport* transport,
                                                      transport::ChannelId id) const {
  auto it = channels_.find(ChannelKey{transport, id});
  if (it == channels_.end()) return std::nullopt;
  return it->second.peer;
}

transport::Transport* ChannelTable::FindTransport(absl::string_view name) const {
  for (transport::Transport* t : transports_) {
    if (t->capabilities().name == name) return t;
  }
  return nullptr;
}

void ChannelTable::OnOpen(transport::PeerId peer, const v1::ChannelOpen& open) {
  v1::Frame frame;
  frame.set_to_worker(open.source_worker());
  v1::ChannelAccept* accept = frame.mutable_channel_accept();
  accept->set_channel(open.channel());
  accept->set_source_worker(open.source_worker());
  accept->set_transport(open.transport());
  transport::Transport* const transport = FindTransport(open.transport());
  if (transport == nullptr) {
    *accept->mutable_cause() = ToDetail(Error(
        Reason::kNoTransport, absl::StrCat("transport ", open.transport(), " is not on here")));
  } else if (IsAccepted(peer, open.source_worker(), transport, open.channel())) {
    *accept->mutable_cause() = ToDetail(Error(
        Reason::kBadMessage, absl::StrCat("channel ", open.channel(), " is open here already")));
  } else if (auto accepted = transport->Accept(peer, open.data()); !accepted.ok()) {
    *accept->mutable_cause() = ToDetail(accepted.status());
  } else {
    accept->set_data(accepted->data);
    const AcceptedChannel channel{peer, open.source_worker(), transport, open.channel()};
    accepted_[{transport, accepted->id}] = channel;
    accepted_ids_[channel] = accepted->id;
  }
  outbox_->Send(peer, control::Priority::kBulk, std::move(frame)).IgnoreError();
}

std::optional<std::pair<ChannelKey, absl::Status>> ChannelTable::OnAccept(
    transport::PeerId peer, const v1::ChannelAccept& accept) {
  ChannelKey key{FindTransport(accept.transport()), transport::ChannelId(accept.channel())};
  auto it = channels_.find(key);
  if (it == channels_.end() || it->second.peer != peer ||
      it->second.machine.state() != ChannelState::kAsked) {
    return std::nullopt;
  }
  absl::Status status = accept.has_cause() ? FromDetail(accept.cause())
                                           : key.transport->Complete(key.id, accept.data());
  if (status.ok()) {
    it->second.machine.Advance(ChannelEvent::kAccepted);
    return std::nullopt;
  }
  key.transport->Close(key.id);
  Drop(it);
  return std::make_pair(key, status);
}

std::optional<Duration> ChannelTable::OnUp(transport::Transport* transport, transport::ChannelId id,
                                           TimePoint now) {
  auto it = channels_.find(ChannelKey{transport, id});
  // Channels this worker accepted as a target are the transport's own business.
  if (it == channels_.end()) return std::nullopt;
  it->second.machine.Advance(ChannelEvent::kUp);
  return now - it->second.asked;
}

size_t ChannelTable::CountOf(const transport::Transport* transport) const {
  size_t count = 0;
  for (const auto& [key, channel] : channels_) count += key.transport == transport;
  return count;
}

std::optional<AcceptedChannel> ChannelTable::OnDown(transport::Transport* transport,
                                                    transport::ChannelId id) {
  const ChannelKey key{transport, id};
  if (auto it = channels_.find(key); it != channels_.end()) {
    // Before it was up nothing was posted.
    if (transport->capabilities().retires && it->second.machine.state() == ChannelState::kUp) {
      AskToRetire(key, it->second);
    }
    Drop(it);
  }
  auto accepted = accepted_.find(key);
  if (accepted == accepted_.end()) return std::nullopt;
  const AcceptedChannel channel = accepted->second;
  accepted_ids_.erase(channel);
  accepted_.erase(accepted);
  return channel;
}

std::optional<AcceptedChannel> ChannelTable::OnLost(transport::PeerId peer,
                                                    const v1::ChannelLost& lost) {
  auto it = accepted_ids_.find(
      {peer, lost.source_worker(), FindTransport(lost.transport()), lost.channel()});
  if (it == accepted_ids_.end()) return std::nullopt;
  const transport::ChannelId id = it->second;
  it->first.transport->Close(id);
  return OnDown(it->first.transport, id);
}

bool ChannelTable::IsAccepted(transport::PeerId peer, uint32_t source_worker,
                              transport::Transport* transport, uint64_t number) const {
  return accepted_ids_.contains({peer, source_worker, transport, number});
}

void ChannelTable::AskToRetire(const ChannelKey& key, const Channel& channel) {
  v1::Frame frame;
  frame.set_to_worker(channel.peer_worker);
  v1::ChannelRetire* retire = frame.mutable_channel_retire();
  retire->set_channel(key.id.value());
  retire->set_source_worker(worker_);
  retire->set_transport(std::string(key.transport->capabilities().name));
  absl::Status sent = outbox_->Send(channel.peer, control::Priority::kUrgent, std::move(frame));
  // Else the peer is lost, and its rooms with it.
  if (sent.ok()) retiring_[key] = channel.peer;
}

std::optional<ChannelKey> ChannelTable::OnRetired(transport::PeerId peer,
                                                  const v1::ChannelRetired& retired) {
  const ChannelKey key{FindTransport(retired.transport()), transport::ChannelId(retired.channel())};
  auto it = retiring_.find(key);
  if (it == retiring_.end() || it->second != peer) return std::nullopt;
  retiring_.erase(it);
  return key;
}

void ChannelTable::OnRetire(transport::PeerId peer, const v1::ChannelRetire& retire) {
  transport::Transport* transport = FindTransport(retire.transport());
  if (transport == nullptr || !transport->capabilities().retires) return;
  const AcceptedChannel channel{peer, retire.source_worker(), transport, retire.channel()};
  transport::ChannelId id;
  if (auto it = accepted_ids_.find(channel); it != accepted_ids_.end()) {
    id = it->second;
    OnDown(transport, id);
  }
  waiting_.emplace(ChannelKey{transport, id}, channel);
  transport->Retire(id);
}

std::vector<AcceptedChannel> ChannelTable::TakeWaiting(transport::Transport* transport,
                                                       transport::ChannelId id) {
  std::vector<AcceptedChannel> waiting;
  const auto [first, last] = waiting_.equal_range(ChannelKey{transport, id});
  for (auto it = first; it != last; ++it) waiting.push_back(it->second);
  waiting_.erase(first, last);
  return waiting;
}

void ChannelTable::Drop(std::map<ChannelKey, Channel>::iterator it) {
  it->second.machine.Advance(ChannelEvent::kDown);
  const auto route =
      routes_.find(Route{it->second.peer, it->second.peer_worker, it->first.transport});
  // Another channel may have taken its place.
  if (route != routes_.end() && route->second == it->first.id) routes_.erase(route);
  channels_.erase(it);
}

void ChannelTable::ForgetPeer(transport::PeerId peer) {
  for (auto it = channels_.begin(); it != channels_.end();) {
    auto next = std::next(it);
    if (it->second.peer == peer) Drop(it);
    it = next;
  }
  std::erase_if(accepted_, [&](const auto& a) { return a.second.peer == peer; });
  std::erase_if(accepted_ids_, [&](const auto& a) { return a.first.peer == peer; });
  std::erase_if(retiring_, [peer](const auto& e) { return e.second == peer; });
  std::erase_if(waiting_, [peer](const auto& e) { return e.second.peer == peer; });
}

}  // namespace baton::worker
