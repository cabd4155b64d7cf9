#include "transfer_agent/transport/verbs/channel_setup.h"

#include <sys/random.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"

namespace baton::transport::verbs {
namespace {

Greeting GreetingOf(const Channel& channel) {
  Greeting greeting{.nonce = channel.nonce, .endpoints = {}};
  for (const auto& qp : channel.queue_pairs) greeting.endpoints.push_back(EndpointOf(*qp));
  return greeting;
}

}  // namespace

absl::Status NoKeys() {
  return Error(
      Reason::kTransport,
      "verbs: the channel was opened before the peer had that memory, and has no key to it");
}

uint32_t ChannelSetup::Windows() const {
  uint32_t windows = 0;
  for (const LocalMemory* memory : memories_->Windowed()) {
    windows += static_cast<uint32_t>(memory->Pieces(0).size());
  }
  return windows;
}

bool ChannelSetup::Fits(absl::Span<Rail* const> rails, bool source) const {
  const QueueUse use = source ? QueueUse::kSource : QueueUse::kTarget;
  const uint32_t windows = source ? 0 : Windows();
  std::map<const Rail*, uint32_t> needed;
  for (const Rail* rail : rails) {
    needed[rail] += SizesOf(loop_->options, *rail, use, windows).completions();
  }
  return std::all_of(needed.begin(), needed.end(),
                     [](const auto& n) { return n.first->Fits(n.second); });
}

absl::StatusOr<std::unique_ptr<Channel>> ChannelSetup::Make(PeerId peer, ChannelState state,
                                                            absl::Span<Rail* const> rails) {
  auto channel = std::make_unique<Channel>(ChannelId(++last_channel_), peer, state);
  const bool source = state == ChannelState::kOffered;
  if (source) {
    channel->source =
        std::make_unique<SourceDatapath>(loop_->options, &loop_->events, &loop_->counters);
  }
  const uint32_t windows = source ? 0 : Windows();
  for (Rail* rail : rails) {
    auto qp = queue_pairs_->Make(rail, source ? QueueUse::kSource : QueueUse::kTarget, windows,
                                 channel.get(), static_cast<uint32_t>(channel->queue_pairs.size()));
    if (!qp.ok()) {
      Release(channel.get());
      return qp.status();
    }
    channel->queue_pairs.push_back(*std::move(qp));
    if (source) channel->source->AddQueuePair(channel->queue_pairs.back().get());
  }
  return channel;
}

absl::StatusOr<std::unique_ptr<Channel>> ChannelSetup::Offer(PeerId peer,
                                                             absl::Span<Rail* const> rails) {
  auto channel = Make(peer, ChannelState::kOffered, rails);
  if (!channel.ok()) return channel;
  uint64_t& nonce = (*channel)->nonce;
  PCHECK(getrandom(&nonce, sizeof(nonce), 0) == sizeof(nonce));
  return channel;
}

std::string ChannelSetup::OpenData(const Channel& channel, std::vector<uint32_t> avoid_rails) {
  Greeting open = GreetingOf(channel);
  open.avoid_rails = std::move(avoid_rails);
  return EncodeOpen(open);
}

absl::StatusOr<std::unique_ptr<Channel>> ChannelSetup::Answer(PeerId peer,
                                                              absl::Span<Rail* const> rails,
                                                              const Greeting& open) {
  auto channel = Make(peer, ChannelState::kExpected, rails);
  if (!channel.ok()) return channel;
  (*channel)->nonce = open.nonce;
  absl::Status status;
  for (size_t i = 0; i < open.endpoints.size() && status.ok(); ++i) {
    status = verbs::Connect(loop_->options, open.endpoints[i], (*channel)->queue_pairs[i].get());
  }
  if (status.ok()) status = Bind(channel->get());
  if (status.ok()) return channel;
  Release(channel->get());
  return status;
}

std::string ChannelSetup::AcceptData(const Channel& channel) {
  Greeting accept = GreetingOf(channel);
  if (channel.windows != nullptr) accept.windows = channel.windows->Keys();
  return EncodeAccept(accept);
}

absl::Status ChannelSetup::Bind(Channel* channel) const {
  const std::vector<const LocalMemory*> memories = memories_->Windowed();
  if (memories.empty()) return absl::OkStatus();
  auto windows = ChannelWindows::Bind(channel->queue_pairs, memories);
  if (!windows.ok()) return windows.status();
  channel->windows = *std::move(windows);
  return absl::OkStatus();
}

absl::Status ChannelSetup::Connect(Channel* channel, Greeting accept) {
  if (accept.endpoints.size() != channel->queue_pairs.size()) {
    return Error(Reason::kBadMessage,
                 absl::StrCat("verbs: ", accept.endpoints.size(), " endpoints answer ",
                              channel->queue_pairs.size()));
  }
  for (size_t i = 0; i < accept.endpoints.size(); ++i) {
    QueuePair* qp = channel->queue_pairs[i].get();
    absl::Status status = verbs::Connect(loop_->options, accept.endpoints[i], qp);
    if (!status.ok()) return status;
    if (!accept.windows.empty()) qp->far.key_column = static_cast<uint32_t>(i);
    // Receives that stay free for the words: hello, goodbye.
    qp->credits = accept.endpoints[i].receives - 4;
    qp->AddWord({.word = Word::kHello, .value = 0});
    if (status = qp->Ring(); !status.ok()) return status;
    qp->rail().Restore();
  }
  channel->deadline.reset();
  for (RemoteMemory& memory : accept.windows) {
    channel->keys.emplace(memory.windows(), std::move(memory));
  }
  if (!channel->source->Rekey([channel](const RemoteMemory& m) { return channel->KeysTo(m); })) {
    return NoKeys();
  }
  channel->machine.Advance(accept.windows.empty() ? ChannelEvent::kAnswered
                                                  : ChannelEvent::kAwaited);
  return absl::OkStatus();
}

void ChannelSetup::Release(Channel* channel) {
  const bool keyless = channel->windows != nullptr && channel->windows->invalidated();
  for (const auto& qp : channel->queue_pairs) queue_pairs_->TakeDown(*qp, keyless);
  // Behind the reset, so that no write is refused for its key which would only have been lost. A
  // queue pair cannot be destroyed before.
  channel->windows.reset();
  loop_->clock.Ask();
}

}  // namespace baton::transport::verbs
