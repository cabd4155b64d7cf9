// What is remembered of a server's name beyond the life of one start: the incarnations issued.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_NAMES_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_NAMES_H_

#include <cstdint>
#include <deque>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "common/ids.h"

namespace baton::registry {

struct Launch {
  std::string id;
  Incarnation incarnation;
};

// Thread-compatible.
class Names {
 public:
  explicit Names(uint32_t max) : max_(max) {}

  // Null when nothing was issued to the name, or it was long ago.
  const Launch* Latest(absl::string_view name) const;
  // An earlier launch of the name that a later one has replaced.
  const Launch* Replaced(absl::string_view name, absl::string_view launch_id) const;
  // The launch is the name's latest now.
  void Note(const std::string& name, Launch launch);
  // The name's server is gone: it is forgotten when room is needed, the longest gone first.
  void NoteGone(const std::string& name);
  size_t size() const { return names_.size(); }

 private:
  struct Entry {
    std::deque<Launch> launches;  // the latest last, at most kLaunchesRemembered
    uint64_t gone = 0;            // 0: its server is here
  };
  void MakeRoom();

  uint32_t max_;
  uint64_t gone_count_ = 0;
  absl::flat_hash_map<std::string, Entry> names_;
  std::deque<std::pair<uint64_t, std::string>> gone_;
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_NAMES_H_
