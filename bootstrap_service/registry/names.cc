#include "bootstrap_service/registry/names.h"

#include <utility>

#include "bootstrap_service/registry/limits.h"

namespace baton::registry {

const Launch* Names::Latest(absl::string_view name) const {
  auto it = names_.find(name);
  return it == names_.end() ? nullptr : &it->second.launches.back();
}

const Launch* Names::Replaced(absl::string_view name, absl::string_view launch_id) const {
  auto it = names_.find(name);
  if (it == names_.end()) return nullptr;
  const std::deque<Launch>& launches = it->second.launches;
  for (size_t i = 0; i + 1 < launches.size(); ++i) {
    if (launches[i].id == launch_id) return &launches[i];
  }
  return nullptr;
}

void Names::Note(const std::string& name, Launch launch) {
  Entry& entry = names_[name];
  entry.gone = 0;
  bool known = !entry.launches.empty() && entry.launches.back().id == launch.id;
  if (known) {
    entry.launches.back() = std::move(launch);
  } else {
    entry.launches.push_back(std::move(launch));
  }
  if (entry.launches.size() > kLaunchesRemembered) entry.launches.pop_front();
  MakeRoom();
}

void Names::NoteGone(const std::string& name) {
  names_[name].gone = ++gone_count_;
  gone_.emplace_back(gone_count_, name);
  // A name that comes and goes leaves stale entries here; they are bounded with the names.
  if (gone_.size() > 2 * size_t{max_}) {
    std::deque<std::pair<uint64_t, std::string>> kept;
    for (auto& [number, gone] : gone_) {
      auto it = names_.find(gone);
      if (it != names_.end() && it->second.gone == number) kept.emplace_back(number, gone);
    }
    gone_ = std::move(kept);
  }
  MakeRoom();
}

void Names::MakeRoom() {
  while (names_.size() > max_ && !gone_.empty()) {
    auto [number, name] = std::move(gone_.front());
    gone_.pop_front();
    auto it = names_.find(name);
    if (it != names_.end() && it->second.gone == number) names_.erase(it);
  }
}

}  // namespace baton::registry
