// Things that end at a time unless it is put off. Putting off costs nothing here: the owner keeps
// the true end of each thing, and what comes up too early is put back with it.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_EXPIRY_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_EXPIRY_H_

#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "common/clock.h"

namespace baton::registry {

template <typename Key>
class Expiry {
 public:
  void Push(TimePoint at, Key key) { heap_.push({at, std::move(key)}); }

  // The earliest thing whose time has come, taken out; nothing when none has.
  std::optional<Key> PopDue(TimePoint now) {
    if (heap_.empty() || heap_.top().at > now) return std::nullopt;
    Key key = heap_.top().key;
    heap_.pop();
    return key;
  }

  std::optional<TimePoint> next() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.top().at;
  }

  size_t size() const { return heap_.size(); }

 private:
  struct Entry {
    TimePoint at;
    Key key;
    bool operator<(const Entry& other) const { return at > other.at; }
  };
  std::priority_queue<Entry> heap_;
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_EXPIRY_H_
