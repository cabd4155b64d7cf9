// How many channels are open at once: one that is not used gives way to a new one.
#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::transport::verbs {
namespace {

// Polls of every rail until its queue should be empty.
constexpr int kDrainsMax = 64;

}  // namespace

bool VerbsTransport::Fits(absl::Span<Rail* const> rails, bool source) const {
  std::map<const Rail*, uint32_t> needed;
  for (const Rail* rail : rails) needed[rail] += SizesFor(*rail, source).completions();
  return std::all_of(needed.begin(), needed.end(),
                     [](const auto& n) { return n.first->Fits(n.second); });
}

size_t VerbsTransport::OpenChannels(bool source) const {
  return std::count_if(channels_.begin(), channels_.end(), [source](const auto& c) {
    return (c.second->source != nullptr) == source && !c.second->leaving();
  });
}

bool VerbsTransport::Idle(const Channel& channel) const {
  if (!channel.up() || channel.runnable) return false;
  if (channel.source != nullptr) return channel.drained();
  const auto fenced = [&](const PendingFence& fence) { return fence.peer == channel.peer; };
  return !target_.Awaits(channel.peer) && std::none_of(fences_.begin(), fences_.end(), fenced);
}

Channel* VerbsTransport::LeastRecentlyUsed(bool source) const {
  Channel* oldest = nullptr;
  for (const auto& [id, channel] : channels_) {
    if ((channel->source != nullptr) != source || !Idle(*channel)) continue;
    if (oldest == nullptr || channel->used < oldest->used) oldest = channel.get();
  }
  return oldest;
}

absl::Status VerbsTransport::MakeRoom(absl::Span<Rail* const> rails, bool source) {
  while (OpenChannels(source) >= options_.channels_max || !Fits(rails, source)) {
    const size_t open = OpenChannels(source);
    Channel* oldest = LeastRecentlyUsed(source);
    // Sources close the old before they ask for the new, but the word of it may come later.
    const size_t most = source ? options_.channels_max : 2 * size_t{options_.channels_max};
    if (oldest == nullptr && open >= most) {
      return Error(Reason::kFull, absl::StrCat("verbs: ", open,
                                               " channels of this worker are open "
                                               "and in use"));
    }
    // What a completion queue lacks, Reserve says better.
    if (oldest == nullptr) return absl::OkStatus();
    const absl::Status cause =
        Error(Reason::kTransport, "verbs: closed for another, as it was not used");
    if (!source) {
      // Its source hears the goodbye.
      events_.ForgetChannel(oldest->id);
      events_.ChannelDown(oldest->id, cause);
      Leave(oldest, cause);
      if (!Fits(rails, source)) return absl::OkStatus();
      continue;
    }
    Fail(oldest, cause);
    // Its completions are given back when the queues were seen empty.
    for (int i = 0; i < kDrainsMax && PollRails(); ++i) {
    }
  }
  return absl::OkStatus();
}

}  // namespace baton::transport::verbs
