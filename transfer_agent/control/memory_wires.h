// Wires inside one process, for tests of what stands on wires: threads of their own deliver events,
// and any wire can be broken at any time with what was on its way lost.
#ifndef BATON_TRANSFER_AGENT_CONTROL_MEMORY_WIRES_H_
#define BATON_TRANSFER_AGENT_CONTROL_MEMORY_WIRES_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/mutex.h"
#include "transfer_agent/control/gate.h"
#include "transfer_agent/control/task_pool.h"
#include "transfer_agent/control/wire.h"

namespace baton::control {

class MemoryWire;

// The addresses of one process, and the wires between them. Thread-safe.
class MemoryNet {
 public:
  explicit MemoryNet(int threads) : pool_(threads) {}

  // Wires of one agent that listens as `name`. The net must outlive it.
  std::unique_ptr<Wires> MakeWires();
  // Breaks the n-th of the wires that are open, modulo their number.
  void Cut(uint64_t n);
  // Wires go on but carry nothing, while true.
  void Stall(bool stalled);

 private:
  friend class MemoryWire;
  friend class MemoryWires;

  struct Listener {
    Wires::Accept accept;
    Gate accepting;
  };

  // Null: nobody listens there.
  std::shared_ptr<Listener> Find(const std::string& address);

  TaskPool pool_;
  Mutex mu_;
  std::map<std::string, std::shared_ptr<Listener>> listeners_ ABSL_GUARDED_BY(mu_);
  std::vector<std::weak_ptr<MemoryWire>> wires_ ABSL_GUARDED_BY(mu_);
  bool stalled_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_MEMORY_WIRES_H_
