#include "bootstrap_service/registry/batch.h"

#include <map>
#include <set>
#include <utility>

#include "baton/v1/registry.pb.h"
#include "bootstrap_service/registry/topology.h"
#include "bootstrap_service/registry/view.h"

namespace baton::registry {
namespace {

// What the changes of one server come to.
struct Merged {
  bool whole = false;
  bool load = false;
  std::set<uint32_t> slots;
};

bool Passes(const ServerFilter& filter, const std::string& name) {
  return filter.empty() || filter.contains(name);
}

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

// A WatchResponse with one event that holds a record that is serialized already.
void AppendServerEvent(const std::string& record, std::string* out) {
  std::string header;
  AppendHeader(v1::WatchEvent::kServerFieldNumber, record.size(), &header);
  AppendHeader(v1::WatchResponse::kEventsFieldNumber, header.size() + record.size(), out);
  out->append(header).append(record);
}

void SetRevision(const Registry& registry, v1::WatchResponse* message) {
  message->mutable_revision()->set_store_epoch(registry.store_epoch());
  message->mutable_revision()->set_number(registry.changes().latest());
}

void FillDelta(const Server& server, const Merged& merged, v1::ServerDelta* delta) {
  delta->set_name(*server.name);
  delta->set_incarnation(server.incarnation.value());
  delta->set_state(ToProto(server.phase.state()));
  for (uint32_t slot : merged.slots) {
    if (server.live.Contains(slot)) {
      FillRank(server, slot, delta->add_upserted());
    } else {
      SetProto(CoordOf(slot, server.identity.sizes), delta->add_removed());
    }
  }
  if (merged.load) FillLoad(server, delta->mutable_load());
}

}  // namespace

void AppendHeader(uint32_t field, size_t size, std::string* out) {
  constexpr uint32_t kLengthDelimited = 2;
  AppendVarint(field << 3 | kLengthDelimited, out);
  AppendVarint(size, out);
}

std::vector<std::string> SnapshotMessages(Registry* registry, const ServerFilter& filter) {
  std::vector<std::string> messages(1);
  for (const auto& [name, server] : registry->servers()) {
    if (!Passes(filter, name)) continue;
    if (messages.back().size() > kSnapshotMessageBytes) messages.emplace_back();
    AppendServerEvent(registry->ImageOf(name)->record, &messages.back());
  }
  v1::WatchResponse end;
  if (registry->settled()) end.add_events()->set_settled(true);
  end.add_events()->set_snapshot_done(true);
  SetRevision(*registry, &end);
  messages.back() += end.SerializeAsString();
  return messages;
}

std::string ChangesMessage(Registry* registry, uint64_t after, const ServerFilter& filter) {
  std::map<std::string, Merged> merged;
  bool settled = false;
  const ChangeLog& changes = registry->changes();
  for (uint64_t number = after + 1; number <= changes.latest(); ++number) {
    const Change& change = changes.at(number);
    settled = settled || change.kind == ChangeKind::kSettled;
    if (change.server == nullptr || !Passes(filter, *change.server)) continue;
    Merged& server = merged[*change.server];
    // A start that is gone again needs no detail; one that is here came with kWhole.
    if (change.kind == ChangeKind::kWhole) server.whole = true;
    if (change.kind == ChangeKind::kLoad) server.load = true;
    if (change.kind == ChangeKind::kSlot) server.slots.insert(change.slot);
  }
  if (merged.empty() && !settled) return "";
  std::string out;
  v1::WatchResponse rest;
  for (const auto& [name, what] : merged) {
    const Server* server = registry->Find(name);
    if (server == nullptr) {
      rest.add_events()->set_removed(name);
    } else if (what.whole) {
      AppendServerEvent(registry->ImageOf(name)->record, &out);
    } else {
      FillDelta(*server, what, rest.add_events()->mutable_delta());
    }
  }
  if (settled) rest.add_events()->set_settled(true);
  SetRevision(*registry, &rest);
  return out + rest.SerializeAsString();
}

std::string BookmarkMessage(uint64_t store_epoch, uint64_t number) {
  v1::WatchResponse message;
  message.add_events()->set_bookmark(true);
  message.mutable_revision()->set_store_epoch(store_epoch);
  message.mutable_revision()->set_number(number);
  return message.SerializeAsString();
}

std::string CompactedMessage() {
  v1::WatchResponse message;
  message.add_events()->set_compacted(true);
  return message.SerializeAsString();
}

std::string DroppedMessage(const std::string& why) {
  v1::WatchResponse message;
  message.add_events()->set_dropped(why);
  return message.SerializeAsString();
}

}  // namespace baton::registry
