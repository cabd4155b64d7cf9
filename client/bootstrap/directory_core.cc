#include "client/bootstrap/directory_core.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace baton {
namespace {

constexpr int kMissingListed = 64;
// Sizes from outside: no loop is longer than this.
constexpr uint64_t kSlotsMax = 1 << 20;

auto KeyOf(const v1::RankCoord& c) { return std::make_tuple(c.dp(), c.pp(), c.cp(), c.tp()); }

using Ranks = std::map<std::tuple<uint32_t, uint32_t, uint32_t, uint32_t>, const v1::RankRecord*>;

void SetMissing(const Ranks& ranks, v1::ServerRecord* record) {
  const v1::RankCoord& sizes = record->spec().sizes();
  uint64_t slots = 1;
  for (uint64_t size : {sizes.dp(), sizes.pp(), sizes.cp(), sizes.tp()}) {
    slots = std::min(kSlotsMax + 1, slots * std::min(size, kSlotsMax + 1));
  }
  record->clear_missing();
  record->set_missing_count(slots > ranks.size() ? slots - ranks.size() : 0);
  if (slots > kSlotsMax || record->missing_count() == 0) return;
  for (uint64_t slot = 0; slot < slots && record->missing_size() < kMissingListed; ++slot) {
    v1::RankCoord c;
    c.set_tp(slot % sizes.tp());
    c.set_cp(slot / sizes.tp() % sizes.cp());
    c.set_pp(slot / sizes.tp() / sizes.cp() % sizes.pp());
    c.set_dp(slot / sizes.tp() / sizes.cp() / sizes.pp());
    if (ranks.count(KeyOf(c)) == 0) *record->add_missing() = c;
  }
}

// What was known before the restart, with what has come back since.
v1::ServerRecord Overlay(const v1::ServerRecord& held, const v1::ServerRecord& truth) {
  v1::ServerDelta delta;
  *delta.mutable_upserted() = truth.ranks();
  // A drain is news; provisional is not.
  if (truth.state() == v1::SERVER_STATE_DRAINING) delta.set_state(truth.state());
  return WithDelta(held, delta);
}

}  // namespace

v1::ServerRecord WithDelta(const v1::ServerRecord& record, const v1::ServerDelta& delta) {
  Ranks ranks;
  for (const v1::RankRecord& rank : record.ranks()) ranks[KeyOf(rank.coord())] = &rank;
  for (const v1::RankRecord& rank : delta.upserted()) ranks[KeyOf(rank.coord())] = &rank;
  for (const v1::RankCoord& gone : delta.removed()) ranks.erase(KeyOf(gone));
  v1::ServerRecord out;
  out.set_name(record.name());
  out.set_incarnation(record.incarnation());
  out.set_role(record.role());
  out.set_model(record.model());
  *out.mutable_spec() = record.spec();
  bool told = delta.state() != v1::SERVER_STATE_UNSPECIFIED;
  out.set_state(told ? delta.state() : record.state());
  out.mutable_ranks()->Reserve(ranks.size());
  for (const auto& [key, rank] : ranks) *out.add_ranks() = *rank;
  SetMissing(ranks, &out);
  *out.mutable_labels() = record.labels();
  *out.mutable_aliases() = record.aliases();
  *out.mutable_load() = delta.has_load() ? delta.load() : record.load();
  *out.mutable_modified() = record.modified();
  return out;
}

v1::WatchRequest DirectoryCore::BeginWatch() {
  v1::WatchRequest request;
  if (revision_) {
    *request.mutable_resume_after() = *revision_;
  } else {
    BeginSnapshot();
  }
  return request;
}

void DirectoryCore::BeginSnapshot() {
  in_snapshot_ = true;
  settled_ = false;
  listed_.clear();
}

DirectoryCore::Changes DirectoryCore::Apply(const v1::WatchResponse& message) {
  Changes changes;
  if (message.has_revision() && message.revision().store_epoch() != store_epoch_) {
    changes.new_store_epoch = store_epoch_ != 0;
    store_epoch_ = message.revision().store_epoch();
  }
  for (const v1::WatchEvent& event : message.events()) ApplyEvent(event, &changes);
  if (changes.compacted) {
    revision_.reset();
  } else if (message.has_revision() && !in_snapshot_) {
    revision_ = message.revision();
  }
  return changes;
}

void DirectoryCore::ApplyEvent(const v1::WatchEvent& event, Changes* changes) {
  switch (event.event_case()) {
    case v1::WatchEvent::kServer:
      return SetTruth(event.server(), changes);
    case v1::WatchEvent::kDelta:
      return ApplyDelta(event.delta(), changes);
    case v1::WatchEvent::kRemoved:
      return Remove(event.removed(), changes);
    case v1::WatchEvent::kSettled:
      settled_ = true;
      if (!in_snapshot_) Settle(changes);
      return;
    case v1::WatchEvent::kSnapshotDone:
      return EndSnapshot(changes);
    case v1::WatchEvent::kCompacted:
      changes->compacted = true;
      return;
    case v1::WatchEvent::kDropped:
      changes->dropped = event.dropped();
      return;
    case v1::WatchEvent::kBookmark:
    case v1::WatchEvent::EVENT_NOT_SET:  // of a newer service
      return;
  }
}

void DirectoryCore::SetTruth(const v1::ServerRecord& record, Changes* changes) {
  Entry& entry = entries_[record.name()];
  if (in_snapshot_) listed_.insert(record.name());
  if (entry.truth == nullptr && entry.shown != nullptr) entry.held = entry.shown;
  // Within a snapshot nobody knows yet whether the service has restarted: what is shown is held.
  if (in_snapshot_ && entry.held == nullptr) entry.held = entry.shown;
  entry.truth = std::make_shared<const v1::ServerRecord>(record);
  bool overlay =
      entry.held != nullptr && entry.held->incarnation() == record.incarnation() && !settled_;
  if (!overlay) entry.held = nullptr;
  entry.shown = overlay
                    ? std::make_shared<const v1::ServerRecord>(Overlay(*entry.held, *entry.truth))
                    : entry.truth;
  changes->upserted.insert(record.name());
  changes->removed.erase(record.name());
}

void DirectoryCore::ApplyDelta(const v1::ServerDelta& delta, Changes* changes) {
  auto it = entries_.find(delta.name());
  bool known = it != entries_.end() && it->second.truth != nullptr &&
               it->second.truth->incarnation() == delta.incarnation();
  // A delta of a record that never came: the service is wrong, and a new snapshot puts it right.
  if (!known) {
    changes->compacted = true;
    return;
  }
  SetTruth(WithDelta(*it->second.truth, delta), changes);
}

void DirectoryCore::Remove(const std::string& name, Changes* changes) {
  if (entries_.erase(name) == 0) return;
  changes->removed.insert(name);
  changes->upserted.erase(name);
}

void DirectoryCore::EndSnapshot(Changes* changes) {
  in_snapshot_ = false;
  synced_ = true;
  // What the snapshot does not list is gone, or has not come back yet.
  for (auto& [name, entry] : entries_) {
    if (listed_.count(name) > 0) continue;
    if (entry.held == nullptr) entry.held = entry.shown;
    entry.truth = nullptr;
  }
  listed_.clear();
  if (settled_) Settle(changes);
}

void DirectoryCore::Settle(Changes* changes) {
  std::vector<std::string> gone;
  for (auto& [name, entry] : entries_) {
    if (entry.truth == nullptr) {
      gone.push_back(name);
      continue;
    }
    if (entry.held == nullptr) continue;
    entry.held = nullptr;
    entry.shown = entry.truth;
    changes->upserted.insert(name);
  }
  for (const std::string& name : gone) Remove(name, changes);
}

ServerRecordPtr DirectoryCore::Find(const std::string& name) const {
  auto it = entries_.find(name);
  return it == entries_.end() ? nullptr : it->second.shown;
}

std::vector<ServerRecordPtr> DirectoryCore::All() const {
  std::vector<ServerRecordPtr> all;
  for (const auto& [name, entry] : entries_) all.push_back(entry.shown);
  return all;
}

}  // namespace baton
