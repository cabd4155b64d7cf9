// The embedded store: the registry in this process's memory, under one mutex, with a thread that
// lets time pass. It forgets everything when the process ends; agents bring it back.
#ifndef BATON_BOOTSTRAP_SERVICE_STORE_MEMORY_STORE_H_
#define BATON_BOOTSTRAP_SERVICE_STORE_MEMORY_STORE_H_

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "bootstrap_service/registry/registry.h"
#include "bootstrap_service/store/store.h"
#include "common/mutex.h"

namespace baton::registry {

class MemoryStore : public Store {
 public:
  // `store_epoch` is drawn anew for each store.
  MemoryStore(const Limits& limits, uint64_t store_epoch);
  // Lookups that still wait are answered with nothing.
  ~MemoryStore() override;

  void Submit(const v1::RegisterServerRequest& request,
              Done<v1::RegisterServerResponse> done) override;
  void Submit(const v1::RegisterRankRequest& request, Done<v1::RegisterRankResponse> done) override;
  void Submit(const v1::KeepAliveRequest& request, Done<v1::KeepAliveResponse> done) override;
  void Submit(const v1::DeregisterRequest& request, Done<v1::DeregisterResponse> done) override;
  void Submit(const v1::DrainRequest& request, Done<v1::DrainResponse> done) override;
  void Submit(const v1::BindRoomRequest& request, Done<v1::BindRoomResponse> done) override;
  WaiterId Lookup(const v1::LookupRoomRequest& request, TimePoint wait_ends,
                  Done<v1::LookupRoomResponse> done) override;
  bool CancelLookup(WaiterId waiter) override;

  absl::StatusOr<Listing> Get(const std::string& name) override;
  Listing List(const ListQuery& query) override;
  StoreStats Stats() override;
  uint64_t store_epoch() const override { return store_epoch_; }
  WatchMessages Snapshot(const ServerFilter& filter) override;
  absl::StatusOr<WatchMessages> ChangesAfter(uint64_t number, const ServerFilter& filter) override;
  void SetListener(std::function<void()> listener) override;

 private:
  struct LookupAnswer {
    Done<v1::LookupRoomResponse> done;
    v1::LookupRoomResponse response;
  };

  template <typename Request, typename Response>
  void ApplyToRegistry(const Request& request, const Done<Response>& done);
  std::vector<LookupAnswer> Collect(std::vector<Answered> answered)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TickUntilStopped();
  void Tell();

  const uint64_t store_epoch_;
  const Duration tick_;
  Mutex mu_;
  CondVar stop_changed_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  Registry registry_ ABSL_GUARDED_BY(mu_);
  RoomTable rooms_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<WaiterId, Done<v1::LookupRoomResponse>> lookups_ ABSL_GUARDED_BY(mu_);
  Mutex listener_mu_;
  std::function<void()> listener_ ABSL_GUARDED_BY(listener_mu_);
  std::thread ticker_;
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_STORE_MEMORY_STORE_H_
