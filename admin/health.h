// What a program says of itself to whoever probes it.
#ifndef BATON_ADMIN_HEALTH_H_
#define BATON_ADMIN_HEALTH_H_

#include <functional>
#include <string>

namespace baton::admin {

// Three questions, as Kubernetes asks them:
//   started  what this process needs on its own machine is proven (memory, rails, sockets). Depends
//            on no other process, so that it can gate an engine.
//   ready    it takes new work now. False while it drains.
//   live     its threads still turn. Never depends on other processes: a restart would not help.
struct Health {
  bool started = false;
  bool ready = false;
  bool live = true;
  // Why not, one line for each cause; empty when all is well.
  std::string why;
};

// Thread-safe, answers at once.
using HealthSource = std::function<Health()>;

}  // namespace baton::admin

#endif  // BATON_ADMIN_HEALTH_H_
