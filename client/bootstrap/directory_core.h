// A copy of the registry, kept current by the messages of a watch: no threads, no gRPC.
//
// After a restart the service knows only what agents have brought back so far. Until it says that
// it has settled, what was known before stands beside what it says: no server or rank is taken for
// gone only because it has not come back yet. Thread-compatible.
#ifndef BATON_CLIENT_BOOTSTRAP_DIRECTORY_CORE_H_
#define BATON_CLIENT_BOOTSTRAP_DIRECTORY_CORE_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "baton/v1/registry.pb.h"

namespace baton {

// Immutable; shared with everyone who asked for it.
using ServerRecordPtr = std::shared_ptr<const v1::ServerRecord>;

class DirectoryCore {
 public:
  // What one message changed.
  struct Changes {
    std::set<std::string> upserted;
    std::set<std::string> removed;
    // The watch ended: begin anew, without resuming when `compacted`.
    bool compacted = false;
    std::optional<std::string> dropped;
    bool new_store_epoch = false;
  };

  // How to begin the next watch; its messages are then given to Apply.
  v1::WatchRequest BeginWatch();
  Changes Apply(const v1::WatchResponse& message);

  // Null when unknown.
  ServerRecordPtr Find(const std::string& name) const;
  std::vector<ServerRecordPtr> All() const;
  bool synced() const { return synced_; }

 private:
  struct Entry {
    ServerRecordPtr truth;  // what the service says; null when it does not know the server (yet)
    ServerRecordPtr held;   // what was known before its restart; null once it has settled
    ServerRecordPtr shown;
  };

  void ApplyEvent(const v1::WatchEvent& event, Changes* changes);
  void SetTruth(const v1::ServerRecord& record, Changes* changes);
  void ApplyDelta(const v1::ServerDelta& delta, Changes* changes);
  void Remove(const std::string& name, Changes* changes);
  void BeginSnapshot();
  void EndSnapshot(Changes* changes);
  void Settle(Changes* changes);

  std::map<std::string, Entry> entries_;
  std::optional<v1::Revision> revision_;
  uint64_t store_epoch_ = 0;
  bool synced_ = false;
  bool in_snapshot_ = false;
  bool settled_ = false;          // of the service that this watch is with
  std::set<std::string> listed_;  // by the snapshot so far
};

// `record` with the changes of `delta`; ranks sorted, `missing` anew.
v1::ServerRecord WithDelta(const v1::ServerRecord& record, const v1::ServerDelta& delta);

}  // namespace baton

#endif  // BATON_CLIENT_BOOTSTRAP_DIRECTORY_CORE_H_
