// The messages of a watch, as the bytes that go out: one serialization serves every watcher that
// wants the same servers.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_BATCH_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_BATCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "bootstrap_service/registry/registry.h"

namespace baton::registry {

// Empty: every server.
using ServerFilter = absl::flat_hash_set<std::string>;

// A new message is begun beyond this; a single server may be larger.
inline constexpr size_t kSnapshotMessageBytes = 256 << 10;

// Serialized v1::WatchResponse messages; the last one has snapshot_done and the revision.
std::vector<std::string> SnapshotMessages(Registry* registry, const ServerFilter& filter);

// One message with all changes after `after`, merged; empty when none of them passes the filter.
// The change log covers `after`.
std::string ChangesMessage(Registry* registry, uint64_t after, const ServerFilter& filter);

// A message with one event of its own.
std::string BookmarkMessage(uint64_t store_epoch, uint64_t number);
std::string CompactedMessage();
std::string DroppedMessage(const std::string& why);

// What goes before `size` bytes that are the value of a length-delimited field.
void AppendHeader(uint32_t field, size_t size, std::string* out);

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_BATCH_H_
