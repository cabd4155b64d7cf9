// The rooms of one side of a worker, found by serial, by key or by table slot.
#ifndef BATON_TRANSFER_AGENT_WORKER_ROOM_INDEX_H_
#define BATON_TRANSFER_AGENT_WORKER_ROOM_INDEX_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/shm_abi/commands.h"
#include "transfer_agent/attach/attached_rank.h"
#include "transfer_agent/room/stages.h"
#include "transfer_agent/worker/deadline_queue.h"

namespace baton::worker {

template <typename Room>
struct RoomEntry {
  RoomSerial serial = 0;
  attach::AttachmentId rank;
  // Set while the engine holds its handle.
  std::optional<shm_abi::SlotRef> slot;
  TimePoint opened;
  TimePoint deadline;
  TimePoint stage_began;
  Room room;
  room::StageTimes stages;
};

// Thread-compatible. Entries have stable addresses.
template <typename Room>
class RoomIndex {
 public:
  using Entry = RoomEntry<Room>;

  // Serials of the two sides differ in their lowest bit.
  explicit RoomIndex(uint64_t first_serial) : next_serial_(first_serial) {}

  Entry& Add(attach::AttachmentId rank, Room room, TimePoint opened, TimePoint deadline) {
    RoomSerial serial = next_serial_;
    next_serial_ += 2;
    auto entry = std::unique_ptr<Entry>(
        new Entry{serial, rank, std::nullopt, opened, deadline, opened, std::move(room), {}});
    Entry& added = *entry;
    by_key_[{rank, added.room.key()}] = serial;
    entries_.emplace(serial, std::move(entry));
    return added;
  }

  Entry* Find(RoomSerial serial) {
    auto it = entries_.find(serial);
    return it == entries_.end() ? nullptr : it->second.get();
  }
  // The latest of that key: an earlier one may be there too until all of it is over.
  Entry* FindKey(attach::AttachmentId rank, const RoomKey& key) {
    auto it = by_key_.find({rank, key});
    return it == by_key_.end() ? nullptr : Find(it->second);
  }
  Entry* FindSlot(attach::AttachmentId rank, const shm_abi::SlotRef& slot) {
    auto it = by_slot_.find({rank, slot.slot});
    Entry* entry = it == by_slot_.end() ? nullptr : Find(it->second);
    return entry != nullptr && entry->slot == slot ? entry : nullptr;
  }
  bool SlotInUse(attach::AttachmentId rank, uint32_t slot) const {
    return by_slot_.contains({rank, slot});
  }

  void BindSlot(Entry& entry, shm_abi::SlotRef slot) {
    entry.slot = slot;
    by_slot_[{entry.rank, slot.slot}] = entry.serial;
  }
  void UnbindSlot(Entry& entry) {
    if (!entry.slot.has_value()) return;
    by_slot_.erase({entry.rank, entry.slot->slot});
    entry.slot.reset();
  }

  void Erase(Entry& entry) {
    UnbindSlot(entry);
    auto key = by_key_.find({entry.rank, entry.room.key()});
    if (key != by_key_.end() && key->second == entry.serial) by_key_.erase(key);
    entries_.erase(entry.serial);
  }

  // Serials, oldest first, so that entries may be erased while walking them.
  std::vector<RoomSerial> Serials() const {
    std::vector<RoomSerial> serials;
    serials.reserve(entries_.size());
    for (const auto& [serial, entry] : entries_) serials.push_back(serial);
    std::sort(serials.begin(), serials.end());
    return serials;
  }
  size_t size() const { return entries_.size(); }

 private:
  uint64_t next_serial_;
  absl::flat_hash_map<RoomSerial, std::unique_ptr<Entry>> entries_;
  absl::flat_hash_map<std::pair<attach::AttachmentId, RoomKey>, RoomSerial> by_key_;
  absl::flat_hash_map<std::pair<attach::AttachmentId, uint32_t>, RoomSerial> by_slot_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_ROOM_INDEX_H_
