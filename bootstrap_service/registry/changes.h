// What changed, by revision number: enough to tell a watcher which servers and slots to look at
// again. The new state itself is read from the registry when the watcher is told, so that changes
// that lie close together cost one message, and a resumed watch needs no copies of old states.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_CHANGES_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_CHANGES_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace baton::registry {

enum class ChangeKind : uint8_t {
  kWhole,  // appeared, or is another start
  kSlot,   // `slot` was filled, emptied or got another endpoint
  kState,  // the server's state
  kLoad,
  kRemoved,
  kSettled,  // of the whole registry
};

struct Change {
  std::shared_ptr<const std::string> server;  // shared with the server; null for kSettled
  uint32_t slot = 0;
  ChangeKind kind = ChangeKind::kWhole;
};

// Thread-compatible.
class ChangeLog {
 public:
  explicit ChangeLog(uint32_t kept) : kept_(kept) {}

  // The number of the latest change; 0 before the first.
  uint64_t latest() const { return first_ + log_.size() - 1; }
  void Append(Change change) {
    log_.push_back(std::move(change));
    if (log_.size() <= kept_) return;
    log_.pop_front();
    ++first_;
  }
  // Whether all changes after `number` are still here.
  bool Covers(uint64_t number) const { return number + 1 >= first_ && number <= latest(); }
  // `number` is after one that is covered, at most latest().
  const Change& at(uint64_t number) const { return log_[number - first_]; }

 private:
  uint32_t kept_;
  uint64_t first_ = 1;  // number of log_.front()
  std::deque<Change> log_;
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_CHANGES_H_
