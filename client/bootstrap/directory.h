// A process's copy of the registry, kept current by one Watch, with room lookups beside it.
//
// Thread-safe. Events come from the directory's thread and must not block. While the bootstrap
// service is away the last known state stays: it kills nothing that works.
#ifndef BATON_CLIENT_BOOTSTRAP_DIRECTORY_H_
#define BATON_CLIENT_BOOTSTRAP_DIRECTORY_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "baton/v1/registry.pb.h"
#include "common/ids.h"

namespace baton {

class DirectoryEvents {
 public:
  virtual ~DirectoryEvents() = default;
  // A server appeared or changed in any way.
  virtual void OnServer(const std::shared_ptr<const v1::ServerRecord>& server) = 0;
  virtual void OnServerRemoved(const std::string& name) = 0;
};

struct DirectoryOptions {
  std::string bootstrap_address;
  std::chrono::milliseconds rpc_deadline{12000};  // as the registrar's
  std::chrono::milliseconds backoff_max{2000};
};

class Directory {
 public:
  virtual ~Directory() = default;
  // Null when unknown.
  virtual std::shared_ptr<const v1::ServerRecord> Find(const std::string& name) const = 0;
  virtual std::vector<std::shared_ptr<const v1::ServerRecord>> All() const = 0;
  // False until the first snapshot is complete.
  virtual bool synced() const = 0;

  // Asks which dp rank of `server` has `room`; waits up to `wait`. `done` is called once, from the
  // directory's thread: the dp rank, or ROOM_UNKNOWN.
  using LookupDone = std::function<void(absl::StatusOr<uint32_t>)>;
  virtual void LookupRoom(const std::string& server, const RoomKey& room,
                          std::chrono::milliseconds wait, LookupDone done) = 0;
  // Tells the service which dp rank has a room; best effort, retried until `ttl` is over.
  virtual void BindRoom(const std::string& server, const RoomKey& room, uint32_t dp,
                        std::chrono::milliseconds ttl) = 0;
  // The room went well and is over: its binding is told no more, and ends soon.
  virtual void RoomOver(const std::string& server, const RoomKey& room) = 0;
  // As of a moment ago.
  struct RoomCounts {
    uint64_t bindings = 0;
    uint64_t lookups = 0;
  };
  virtual RoomCounts rooms() const = 0;
  virtual void Stop() = 0;
};

// `events` may be null.
std::unique_ptr<Directory> MakeDirectory(DirectoryOptions options, DirectoryEvents* events);

}  // namespace baton

#endif  // BATON_CLIENT_BOOTSTRAP_DIRECTORY_H_
