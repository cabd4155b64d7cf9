#include "common/flood_gate.h"

namespace baton {

bool FloodGate::Admit(const Statement& statement, int severity, absl::string_view text,
                      int64_t second) {
  Site& site = sites_[statement];
  if (site.second != second) {
    site.second = second;
    site.lines = 0;
  }
  if (++site.lines <= kLogLinesPerSecond) return true;
  site.severity = severity;
  site.last = std::string(text);
  holding_.insert(statement);
  return false;
}

std::vector<FloodGate::Held> FloodGate::TakeHeld(int64_t second) {
  std::vector<Held> held;
  for (auto it = holding_.begin(); it != holding_.end();) {
    Site& site = sites_[*it];
    if (site.second == second) {
      ++it;
      continue;
    }
    held.push_back({*it, site.severity, site.lines - kLogLinesPerSecond, std::move(site.last)});
    site.second = -1;
    it = holding_.erase(it);
  }
  return held;
}

}  // namespace baton
