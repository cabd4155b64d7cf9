#include "tests/simulation/world.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace baton::sim {

ProcessPtr World::NewProcess(std::string name, uint32_t host) {
  auto process = std::make_shared<Process>();
  process->name = std::move(name);
  process->host = host;
  return process;
}

void World::At(TimePoint when, Action action) {
  queue_.push_back({std::max(when, now_), ++last_number_, std::move(action)});
  std::push_heap(queue_.begin(), queue_.end());
}

void World::Run(const ProcessPtr& process, Action action) {
  if (!process->alive) return;
  if (process->stopped) {
    process->held.push_back(std::move(action));
    return;
  }
  action();
}

void World::RunAfter(const ProcessPtr& process, Duration delay, Action action) {
  At(now_ + delay,
     [this, process, action = std::move(action)]() mutable { Run(process, std::move(action)); });
}

void World::Kill(const ProcessPtr& process) {
  if (!process->alive) return;
  Trace("kill ", process->name);
  process->alive = false;
  process->held.clear();
  std::vector<Action> at_death;
  at_death.swap(process->at_death);
  for (Action& action : at_death) action();
}

void World::Stop(const ProcessPtr& process) {
  if (!process->alive || process->stopped) return;
  Trace("stop ", process->name);
  process->stopped = true;
  process->fell_asleep = now_;
}

void World::Wake(const ProcessPtr& process) {
  if (!process->alive || !process->stopped) return;
  Trace("wake ", process->name);
  process->stopped = false;
  process->woke = now_;
  std::deque<Action> held;
  held.swap(process->held);
  for (Action& action : held) Run(process, std::move(action));
}

bool World::Step(TimePoint until) {
  if (queue_.empty() || queue_.front().when > until) {
    now_ = std::max(now_, until);
    return false;
  }
  std::pop_heap(queue_.begin(), queue_.end());
  Item item = std::move(queue_.back());
  queue_.pop_back();
  now_ = item.when;
  ++steps_;
  Fold(now_.time_since_epoch().count());
  item.action();
  return true;
}

void World::Print(const std::string& line) const {
  const auto since = now_ - (TimePoint() + std::chrono::hours(1));
  const double ms = std::chrono::duration<double, std::milli>(since).count();
  std::printf("%12.3f ms  %s\n", ms, line.c_str());
}

}  // namespace baton::sim
