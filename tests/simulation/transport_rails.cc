// The rails of the simulated transport: which of them a channel uses, how it fails, and how the
// target ends its side of it.
#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/reason.h"
#include "tests/simulation/transport_message.h"

namespace baton::sim {

using transport::Events;

namespace {

// A device takes so long to destroy queue pairs, at most.
constexpr Duration kDestroys = 10 * kMilli;
// A narrow channel that nobody uses ends when it has been quiet for so long.
constexpr Duration kQuiet = 2 * kSecond;

std::vector<uint32_t> ParseRails(absl::string_view text) {
  std::vector<uint32_t> rails;
  for (absl::string_view word : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    if (!absl::SimpleAtoi(word, &rails.emplace_back())) rails.pop_back();
  }
  return rails;
}

bool Has(const std::vector<uint32_t>& rails, uint32_t rail) {
  return std::find(rails.begin(), rails.end(), rail) != rails.end();
}

}  // namespace

std::vector<uint32_t> SimTransport::UsableRails() const {
  std::vector<uint32_t> usable;
  for (uint32_t rail = 0; rail < traits_.rails; ++rail) {
    if (network_->RailIsUp(process_->host, rail)) usable.push_back(rail);
  }
  return usable;
}

std::vector<uint32_t> SimTransport::RailsTo(PeerId peer) const {
  const std::vector<uint32_t> usable = UsableRails();
  std::vector<uint32_t> open;
  for (uint32_t rail : usable) {
    if (!pauses_.OwnPaused(peer, rail, network_->world().now())) open.push_back(rail);
  }
  // A paused rail is better than none.
  return open.empty() ? usable : open;
}

absl::StatusOr<std::vector<uint32_t>> SimTransport::RailsFor(absl::string_view open) {
  const std::vector<uint32_t> usable = UsableRails();
  if (usable.empty()) return Error(Reason::kTransport, "no rail is up");
  const size_t slash = open.find('/');
  const std::vector<uint32_t> theirs = ParseRails(open.substr(0, slash));
  const std::vector<uint32_t> avoid = ParseRails(open.substr(slash + 1));
  std::vector<uint32_t> better;
  for (uint32_t rail : usable) {
    if (!Has(avoid, rail)) better.push_back(rail);
  }
  const std::vector<uint32_t>& from = better.empty() ? usable : better;
  std::vector<uint32_t> each;
  for (size_t i = 0; i < theirs.size(); ++i) {
    const bool one = theirs.size() == 1;
    const uint32_t turn = from[(i + (one ? last_channel_ : 0)) % from.size()];
    each.push_back(!one && Has(from, theirs[i]) ? theirs[i] : turn);
  }
  return each;
}

bool SimTransport::Superseded(ChannelId id) const {
  auto it = channels_.find(id);
  if (it == channels_.end() || !it->second.source || !it->second.up) return false;
  return it->second.links.size() < RailsTo(it->second.peer).size();
}

bool SimTransport::CheckRails(TimePoint now) {
  const bool other = !UsableRails().empty();
  std::vector<ChannelId> moved;
  for (const auto& [id, channel] : channels_) {
    if (!channel.source) continue;
    bool idle = channel.queue.empty();
    bool down = false;
    for (const Link& link : channel.links) {
      idle = idle && link.flights.empty();
      down = down || (!network_->RailIsUp(process_->host, link.rail) &&
                      now - network_->DownSince(process_->host, link.rail) >= kPortGrace);
    }
    // A shorter flap is ridden out.
    const bool replaced = idle && now - channel.used >= kQuiet && Superseded(id);
    if ((down && other) || replaced) moved.push_back(id);
  }
  for (ChannelId id : moved) FailChannel(id, Error(Reason::kTransport, "its port is down or back"));
  return !moved.empty();
}

void SimTransport::FailLink(ChannelId id, size_t index, const absl::Status& cause) {
  const Channel& channel = channels_.at(id);
  const Link& link = channel.links[index];
  if (channel.source) {
    pauses_.Failed(channel.peer, link.rail, link.remote_rail, network_->world().now());
  }
  FailChannel(id, cause);
}

void SimTransport::FailChannel(ChannelId id, const absl::Status& cause) {
  Destroy(channels_.find(id), cause);
  Raise([id, cause](Events* events) { events->OnChannelDown(id, cause); });
}

// A queue pair of a source goes without a word: what it had posted is under way. What is for one of
// a target that is gone is refused.
void SimTransport::Destroy(std::map<ChannelId, Channel>::iterator it, const absl::Status& cause) {
  Channel channel = std::move(it->second);
  channels_.erase(it);
  EndSegments(&channel, cause);
  for (Link& link : channel.links) {
    if (link.wire == nullptr) continue;
    if (kind_ == PathKind::kWritten && channel.source) {
      link.wire->Vanish(link.end);
    } else {
      link.wire->Close(link.end, Error(Reason::kTransport, "closed"));
    }
  }
}

// Destroying takes its time, and until it has returned writes land.
void SimTransport::Retire(ChannelId id) {
  World& world = network_->world();
  world.RunAfter(process_, world.random.Between(Duration(0), kDestroys), [this, id] {
    // What has arrived counts: it is not sent again.
    LandArrived();
    auto it = channels_.find(id);
    if (it != channels_.end() && !it->second.source) {
      Destroy(it, absl::CancelledError("the source's end has failed"));
    }
    Raise([id](Events* events) { events->OnChannelRetired(id); });
  });
}

}  // namespace baton::sim
