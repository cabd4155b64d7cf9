#include "common/flood_gate.h"

#include <utility>

namespace baton {
namespace {

constexpr int kWarning = 1;
// Of kTroubleLinesPerSecond: for what was said lately already.
constexpr uint32_t kRepeatsPerSecond = 6;
// Statements that have a line of their own when a second's flood is summed up.
constexpr size_t kSummaries = 3;
constexpr int64_t kNewsSeconds = 60;
constexpr size_t kShapesMax = 1024;

// Of the text without its digits: rooms, counts and addresses differ in nothing else. (FNV-1a)
uint64_t ShapeOf(absl::string_view text) {
  uint64_t hash = 14695981039346656037u;
  for (const char c : text) {
    if (c >= '0' && c <= '9') continue;
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  }
  return hash;
}

}  // namespace

void FloodGate::Begin(int64_t second) {
  if (second_ == second) return;
  second_ = second;
  trouble_ = 0;
}

bool FloodGate::IsNews(absl::string_view text, int64_t second) {
  if (said_.size() >= kShapesMax) said_.clear();
  auto [it, added] = said_.try_emplace(ShapeOf(text), second);
  const int64_t since = second - std::exchange(it->second, second);
  return added || since < 0 || since >= kNewsSeconds;
}

bool FloodGate::AdmitTrouble(absl::string_view text, int64_t second) {
  const bool news = IsNews(text, second);
  if (trouble_ >= (news ? kTroubleLinesPerSecond : kRepeatsPerSecond)) return false;
  ++trouble_;
  return true;
}

bool FloodGate::Admit(const Statement& statement, int severity, absl::string_view text,
                      int64_t second) {
  Begin(second);
  Site& site = sites_[statement];
  if (site.second != second) {
    site.second = second;
    site.lines = 0;
  }
  ++site.lines;
  if (severity >= kWarning ? AdmitTrouble(text, second) : site.lines <= kLogLinesPerSecond) {
    return true;
  }
  ++site.held;
  site.severity = severity;
  site.last = std::string(text);
  holding_.insert(statement);
  return false;
}

std::vector<FloodGate::Held> FloodGate::TakeHeld(int64_t second) {
  Begin(second);
  std::vector<Held> held;
  for (auto it = holding_.begin(); it != holding_.end();) {
    Site& site = sites_[*it];
    if (site.second == second) {
      ++it;
      continue;
    }
    Held one{*it, site.severity, std::exchange(site.held, 0), std::move(site.last)};
    site.second = -1;
    it = holding_.erase(it);
    if (held.size() <= kSummaries) {
      held.push_back(std::move(one));
      continue;
    }
    Held& others = held.back();
    one.lines += others.lines;
    one.severity = one.severity > others.severity ? one.severity : others.severity;
    one.statements = others.statements + 1;
    others = std::move(one);
  }
  trouble_ += held.size();
  return held;
}

}  // namespace baton
