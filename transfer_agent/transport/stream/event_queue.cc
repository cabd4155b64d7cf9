#include "transfer_agent/transport/stream/event_queue.h"

#include <algorithm>
#include <utility>

namespace baton::transport {

void EventQueue::ChannelUp(ChannelId channel) {
  events_.push_back({.kind = Kind::kUp, .offer = {}, .channel = channel, .peer = {}, .status = {}});
}

void EventQueue::ChannelDown(ChannelId channel, absl::Status cause) {
  events_.push_back({.kind = Kind::kDown,
                     .offer = {},
                     .channel = channel,
                     .peer = {},
                     .status = std::move(cause)});
}

void EventQueue::SegmentDone(uint64_t cookie, absl::Status status) {
  events_.push_back({.kind = Kind::kDone,
                     .offer = {},
                     .number = cookie,
                     .channel = {},
                     .peer = {},
                     .status = std::move(status)});
}

void EventQueue::Part(ChannelId channel, PeerId peer, OfferId offer, uint32_t part,
                      uint64_t bytes) {
  events_.push_back({.kind = Kind::kPart,
                     .offer = offer,
                     .part = part,
                     .number = bytes,
                     .channel = channel,
                     .peer = peer,
                     .status = {}});
}

void EventQueue::WindowBroken(PeerId peer, OfferId offer, absl::Status cause) {
  events_.push_back({.kind = Kind::kBroken,
                     .offer = offer,
                     .channel = {},
                     .peer = peer,
                     .status = std::move(cause)});
}

void EventQueue::Fenced(PeerId peer, OfferId offer) {
  events_.push_back(
      {.kind = Kind::kFenced, .offer = offer, .channel = {}, .peer = peer, .status = {}});
}

void EventQueue::ChannelRetired(ChannelId channel) {
  events_.push_back(
      {.kind = Kind::kRetired, .offer = {}, .channel = channel, .peer = {}, .status = {}});
}

template <typename Untrue>
void EventQueue::Remove(Untrue untrue) {
  const auto first = events_.begin() + static_cast<std::ptrdiff_t>(head_);
  events_.erase(std::remove_if(first, events_.end(), untrue), events_.end());
}

void EventQueue::ForgetChannel(ChannelId channel) {
  Remove([channel](const Event& e) {
    return (e.kind == Kind::kUp || e.kind == Kind::kDown) && e.channel == channel;
  });
}

void EventQueue::ForgetWindow(PeerId peer, OfferId offer) {
  Remove([peer, offer](const Event& e) {
    return (e.kind == Kind::kPart || e.kind == Kind::kBroken) && e.peer == peer && e.offer == offer;
  });
}

bool EventQueue::Deliver(Events* events) {
  if (empty()) return false;
  // An event's handler may remove others: never more than were here are taken.
  for (size_t left = events_.size() - head_; left > 0 && !empty(); --left) {
    const Event event = std::move(events_[head_++]);
    Fire(event, events);
  }
  events_.erase(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(head_));
  head_ = 0;
  return true;
}

void EventQueue::Fire(const Event& event, Events* events) {
  switch (event.kind) {
    case Kind::kUp:
      return events->OnChannelUp(event.channel);
    case Kind::kDown:
      return events->OnChannelDown(event.channel, event.status);
    case Kind::kDone:
      return events->OnSegmentDone(event.number, event.status);
    case Kind::kPart:
      return events->OnPart(event.channel, event.peer, event.offer, event.part, event.number);
    case Kind::kBroken:
      return events->OnWindowBroken(event.peer, event.offer, event.status);
    case Kind::kFenced:
      return events->OnFenced(event.peer, event.offer);
    case Kind::kRetired:
      return events->OnChannelRetired(event.channel);
  }
}

}  // namespace baton::transport
