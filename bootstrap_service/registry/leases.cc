#include "bootstrap_service/registry/leases.h"

#include <utility>

namespace baton::registry {

LeaseTable::LeaseTable(Duration lease, uint64_t store_epoch)
    : lease_(lease), next_id_(((store_epoch & 0xFFFFFF) << 40) + 1) {}

LeaseId LeaseTable::Grant(std::shared_ptr<const std::string> server, uint32_t slot, Epoch epoch,
                          TimePoint now) {
  LeaseId id(next_id_++);
  Lease lease{id, std::move(server), slot, epoch, now + lease_, NewLeaseMachine()};
  held_.emplace(id, std::move(lease));
  expiry_.Push(now + lease_, id);
  return id;
}

const Lease* LeaseTable::Renew(LeaseId id, Epoch epoch, TimePoint now) {
  auto it = held_.find(id);
  if (it == held_.end() || it->second.epoch != epoch) return nullptr;
  it->second.phase.Advance(LeaseEvent::kRenew);
  it->second.ends = now + lease_;
  return &it->second;
}

std::optional<Lease> LeaseTable::End(LeaseId id, LeaseEvent how) {
  auto it = held_.find(id);
  if (it == held_.end()) return std::nullopt;
  Lease lease = std::move(it->second);
  held_.erase(it);
  lease.phase.Advance(how);
  return lease;
}

std::vector<Lease> LeaseTable::Expire(TimePoint now, TimePoint not_before) {
  std::vector<Lease> ended;
  if (now < not_before) return ended;
  while (std::optional<LeaseId> id = expiry_.PopDue(now)) {
    auto it = held_.find(*id);
    if (it == held_.end()) continue;
    if (it->second.ends > now) {
      expiry_.Push(it->second.ends, *id);
      continue;
    }
    ended.push_back(*End(*id, LeaseEvent::kExpire));
  }
  return ended;
}

}  // namespace baton::registry
