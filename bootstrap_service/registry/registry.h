// The registry of servers and of their ranks: a pure state machine. No threads, no clock, no gRPC.
//
//   Registry registry(limits, store_epoch, now);
//   auto answer = registry.Apply(request, now);   // one overload a command
//   registry.Tick(now);                           // time passes: leases end
//   registry.changes();                           // what the commands changed, by revision
//
// ReadyIsASet: a server is ready iff every slot of its latest incarnation holds a live lease and
// all its ranks brought the same role, model and spec. After its own start the registry settles for
// one lease time: it issues no incarnation, servers that ranks bring back are PROVISIONAL, and the
// live holder of a slot is not replaced.
//
// A refused command changes nothing. Thread-compatible.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_REGISTRY_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_REGISTRY_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "baton/v1/registry.pb.h"
#include "bootstrap_service/registry/changes.h"
#include "bootstrap_service/registry/leases.h"
#include "bootstrap_service/registry/limits.h"
#include "bootstrap_service/registry/names.h"
#include "bootstrap_service/registry/now.h"
#include "bootstrap_service/registry/server.h"

namespace baton::registry {

class Registry {
 public:
  // `store_epoch` names this life of the registry: revisions of another one do not compare.
  Registry(const Limits& limits, uint64_t store_epoch, const Now& now);

  absl::StatusOr<v1::RegisterServerResponse> Apply(const v1::RegisterServerRequest& request,
                                                   const Now& now);
  absl::StatusOr<v1::RegisterRankResponse> Apply(const v1::RegisterRankRequest& request,
                                                 const Now& now);
  absl::StatusOr<v1::KeepAliveResponse> Apply(const v1::KeepAliveRequest& request, const Now& now);
  absl::StatusOr<v1::DeregisterResponse> Apply(const v1::DeregisterRequest& request,
                                               const Now& now);
  absl::StatusOr<v1::DrainResponse> Apply(const v1::DrainRequest& request, const Now& now);

  // Ends leases, ends the settling, forgets servers. To be called several times a lease time: after
  // a gap of more than half of one (this process was stopped, say) nothing ends for a lease time.
  void Tick(const Now& now);

  // Null when unknown.
  const Server* Find(absl::string_view name) const;
  // By its name or by an alias.
  const Server* Resolve(absl::string_view name) const;
  // Sorted by name.
  const std::map<std::string, std::unique_ptr<Server>, std::less<>>& servers() const {
    return servers_;
  }
  // Made when needed, kept until the server changes. The name is known.
  std::shared_ptr<const ServerImage> ImageOf(absl::string_view name);
  // BAD_COORD when the server is known and has no such dp rank.
  absl::Status CheckDp(absl::string_view server, uint32_t dp) const;

  const ChangeLog& changes() const { return changes_; }
  uint64_t store_epoch() const { return store_epoch_; }
  bool settled() const { return settled_; }
  const Limits& limits() const { return limits_; }
  size_t leases() const { return leases_.size(); }
  uint64_t expirations() const { return expirations_; }

 private:
  using AliasList = google::protobuf::RepeatedPtrField<std::string>;
  using Servers = std::map<std::string, std::unique_ptr<Server>, std::less<>>;

  Server* FindMutable(absl::string_view name);
  absl::Status CheckNewStart(const Identity& identity, const Server* replaced) const;
  Server* AddServer(const std::string& name, Incarnation incarnation, Identity identity,
                    const Now& now);
  void RemoveServer(Server* server, ServerEvent how);
  // ALIAS_HELD names the server that has the name, or one of the aliases, of server `name`.
  absl::Status CheckNames(const std::string& name, const AliasList& aliases, const Now& now) const;
  bool HoldsAliases(const Server& server, const Now& now) const;
  // After CheckNames.
  void TakeAliases(Server* server, const AliasList& aliases);
  void DropAlias(const std::string& alias);
  absl::Status CheckSameLaunch(const Server& server, const Identity& identity,
                               const RankRef* rank) const;
  absl::StatusOr<Server*> JoinServer(const v1::RegisterRankRequest& request, const RankRef& rank,
                                     const Now& now);
  absl::Status CheckHolder(const Server& server, uint32_t slot, const v1::RankRecord& record,
                           const RankRef& rank) const;
  LeaseId TakeSlot(Server* server, uint32_t slot, const v1::RankRecord& record, const Now& now);
  void LeaveSlot(Server* server, uint32_t slot, SlotEvent how, const Now& now);
  void DropFromAgent(Server* server, Epoch epoch);
  void NoteLoad(const v1::KeepAliveRequest& request,
                const absl::flat_hash_set<std::string>& servers);
  void Settle(const Now& now);
  void ForgetEmptyServers(const Now& now);
  void Advance(Server* server, ServerEvent event);
  void NoteChange(Server* server, ChangeKind kind, uint32_t slot = 0);

  const Limits limits_;
  const uint64_t store_epoch_;
  const TimePoint settles_at_;
  bool settled_ = false;
  TimePoint ticked_;
  TimePoint no_expiry_before_;
  uint64_t slots_ = 0;       // of all servers
  uint64_t spec_bytes_ = 0;  // of all servers
  uint64_t expirations_ = 0;
  Servers servers_;
  std::map<std::string, Server*, std::less<>> aliases_;
  absl::flat_hash_set<std::string> empty_;  // servers without a live rank
  Names names_;
  LeaseTable leases_;
  ChangeLog changes_;
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_REGISTRY_H_
