// The agent's load, for the registry and through it for routers.
#include "transfer_agent/app/agent.h"
#include "transfer_agent/transport/transport.h"

namespace baton::agent {

void Agent::ReportLoad() {
  const TimePoint now = Monotonic::now();
  AgentLoad load;
  uint64_t bytes = 0;
  for (const LoadBoard::Cell& cell : load_board_->cells) {
    load.rooms += cell.rooms;
    bytes += cell.bytes;
  }
  const double seconds = std::chrono::duration<double>(now - load_board_->seen).count();
  const bool first = load_board_->seen == TimePoint();
  if (!first && seconds > 0) {
    load.bytes_per_second = static_cast<uint64_t>((bytes - load_board_->bytes_seen) / seconds);
  }
  load_board_->seen = now;
  load_board_->bytes_seen = bytes;
  registrar_->SetLoad(load);
  for (size_t i = 0; i < workers_.size(); ++i) {
    // The board is shared with tasks that may still wait when the agent goes.
    workers_[i]->Post(worker::Lane::kUrgent,
                      [board = load_board_, i](worker::WorkerCore& core, TimePoint) {
                        uint64_t moved = 0;
                        for (const transport::Transport* transport : core.context().transports) {
                          const transport::Counters counters = transport->counters();
                          moved += counters.bytes_sent + counters.bytes_landed;
                        }
                        board->cells[i].rooms = core.open_rooms();
                        board->cells[i].bytes = moved;
                      });
  }
}

}  // namespace baton::agent
