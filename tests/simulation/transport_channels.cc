// How channels of the simulated transport come up: what the agents tell each other, and the
// greeting that says which connection is which.
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/reason.h"
#include "tests/simulation/transport_message.h"

namespace baton::sim {

using transport::Events;

absl::StatusOr<transport::OpenedChannel> SimTransport::Open(PeerId peer) {
  const std::vector<uint32_t> rails = RailsTo(peer);
  if (rails.empty()) return Error(Reason::kTransport, "no rail is up");
  const ChannelId id(++last_channel_);
  Channel& channel = channels_[id];
  channel.peer = peer;
  channel.source = true;
  channel.used = network_->world().now();
  for (uint32_t rail : rails) channel.links.emplace_back().rail = rail;
  return transport::OpenedChannel{
      id, absl::StrCat(absl::StrJoin(rails, ","), "/",
                       absl::StrJoin(pauses_.RemotePaused(peer, network_->world().now()), ","))};
}

absl::StatusOr<transport::OpenedChannel> SimTransport::Accept(PeerId peer, absl::string_view data) {
  if (unanswered_.contains(peer)) {
    return Error(Reason::kSettling, "the source has not answered a fence yet");
  }
  auto rails = RailsFor(data);
  if (!rails.ok()) return rails.status();
  const ChannelId id(++last_channel_);
  Channel& channel = channels_[id];
  channel.peer = peer;
  for (uint32_t rail : *rails) channel.links.emplace_back().rail = rail;
  return transport::OpenedChannel{
      id, absl::StrCat(address_, " ", id.value(), " ", absl::StrJoin(*rails, ","))};
}

absl::Status SimTransport::Complete(ChannelId id, absl::string_view data) {
  auto it = channels_.find(id);
  const std::vector<std::string> words = absl::StrSplit(data, ' ');
  uint64_t far_channel = 0;
  if (it == channels_.end() || words.size() != 3 || !absl::SimpleAtoi(words[1], &far_channel)) {
    return Error(Reason::kBadMessage, "bad channel data");
  }
  const std::vector<std::string> rails = absl::StrSplit(words[2], ',');
  Channel& channel = it->second;
  for (size_t i = 0; i < channel.links.size(); ++i) {
    if (i >= rails.size() || !absl::SimpleAtoi(rails[i], &channel.links[i].remote_rail)) {
      return Error(Reason::kBadMessage, "bad rails");
    }
    Dial(id, i, words[0], far_channel);
  }
  // A queue pair is connected by what each end was told.
  if (kind_ != PathKind::kWritten) return absl::OkStatus();
  channel.up = true;
  Raise([id](Events* events) { events->OnChannelUp(id); });
  return absl::OkStatus();
}

void SimTransport::Dial(ChannelId id, size_t index, const std::string& address,
                        uint64_t far_channel) {
  Wire::End end;
  end.process = wires_at_;
  end.on_message = [this, id, index](const Payload& payload) { OnMessage(id, index, payload); };
  end.on_closed = [this, id, index](const absl::Status& why) { OnWireClosed(id, index, why); };
  Link& link = channels_.at(id).links[index];
  link.end = 0;
  link.wire = network_->Connect(address, process_->host, end);
  if (kind_ == PathKind::kWritten) link.wire->SetRails(link.rail, link.remote_rail);
  auto greeting = std::make_shared<Message>();
  greeting->kind = Message::Kind::kGreeting;
  greeting->channel = far_channel;
  greeting->link = index;
  link.wire->Send(0, greeting);
}

void SimTransport::OnAccepted(const WirePtr& wire) {
  auto id = std::make_shared<std::pair<ChannelId, size_t>>();
  Wire::End end;
  end.process = wires_at_;
  // The first message says which channel it is.
  end.on_message = [this, id, weak = std::weak_ptr<Wire>(wire)](const Payload& payload) {
    if (id->first != ChannelId()) return OnMessage(id->first, id->second, payload);
    if (WirePtr greeted = weak.lock()) {
      *id = OnGreeting(greeted, *static_cast<const Message*>(payload.get()));
    }
  };
  end.on_closed = [this, id](const absl::Status& why) { OnWireClosed(id->first, id->second, why); };
  wire->SetEnd(1, std::move(end));
}

std::pair<ChannelId, size_t> SimTransport::OnGreeting(const WirePtr& wire,
                                                      const Message& greeting) {
  const ChannelId id(greeting.channel);
  auto it = channels_.find(id);
  if (it == channels_.end() || it->second.source || greeting.link >= it->second.links.size() ||
      it->second.links[greeting.link].wire != nullptr) {
    wire->Close(1, Error(Reason::kBadMessage, "no such channel"));
    return {};
  }
  Link& link = it->second.links[greeting.link];
  link.wire = wire;
  link.end = 1;
  if (kind_ != PathKind::kWritten) {
    auto welcome = std::make_shared<Message>();
    welcome->kind = Message::Kind::kGreeting;
    wire->Send(1, welcome);
  }
  if (!std::exchange(it->second.up, true)) {
    Raise([id](Events* events) { events->OnChannelUp(id); });
  }
  return {id, greeting.link};
}

}  // namespace baton::sim
