// Which keys go with which channel, where peers write through memory windows.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::transport::verbs {

std::vector<const LocalMemory*> VerbsTransport::WindowedMemories() const {
  std::vector<const LocalMemory*> memories;
  for (const auto& [id, memory] : memories_) {
    if (memory->windows() != 0) memories.push_back(memory.get());
  }
  return memories;
}

QueueSizes VerbsTransport::SizesFor(const Rail& rail, bool source) const {
  if (source) return SizesOf(options_, rail, QueueUse::kSource);
  uint32_t windows = 0;
  for (const LocalMemory* memory : WindowedMemories()) {
    windows += static_cast<uint32_t>(memory->Pieces(0).size());
  }
  return SizesOf(options_, rail, QueueUse::kTarget, windows);
}

absl::Status VerbsTransport::BindWindows(Channel* channel) {
  const std::vector<const LocalMemory*> memories = WindowedMemories();
  if (memories.empty()) return absl::OkStatus();
  auto windows = ChannelWindows::Bind(channel->queue_pairs, memories);
  if (!windows.ok()) return windows.status();
  channel->windows = *std::move(windows);
  return absl::OkStatus();
}

const RemoteMemory* VerbsTransport::KeysOf(const Channel& channel, const RemoteMemory& memory) {
  if (memory.windows() == 0) return &memory;
  const auto keys = channel.keys.find(memory.windows());
  return keys == channel.keys.end() ? nullptr : &keys->second;
}

absl::Status VerbsTransport::NoKeys() {
  return Error(
      Reason::kTransport,
      "verbs: the channel was opened before the peer had that memory, and has no key to it");
}

void VerbsTransport::Supersede(PeerId peer, const RemoteMemory& memory) {
  for (const auto& [id, channel] : channels_) {
    if (channel->peer != peer || channel->source == nullptr) continue;
    if (channel->machine.state() == ChannelState::kOffered || KeysOf(*channel, memory) != nullptr) {
      continue;
    }
    // Of the other workers of that agent it says nothing.
    channel->superseded |= channel->keys.empty() ||
                           RemoteMemory::SameWorker(channel->keys.begin()->first, memory.windows());
  }
}

}  // namespace baton::transport::verbs
