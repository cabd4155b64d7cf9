// Runs the pull kernel of one GPU for one worker: chunks of many rooms in one launch, two launches
// under way, each bounded, so that a small room waits for no large one and a fence not long.
// Nothing here waits for the GPU. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_PULLER_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_PULLER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "transfer_agent/transport/cuda/arena.h"
#include "transfer_agent/transport/cuda/gpu.h"
#include "transfer_agent/transport/cuda/work_list.h"
#include "transfer_agent/transport/transport.h"

namespace baton::transport::cuda {

// One chunk that is being pulled.
struct Pull {
  ChannelId channel;
  uint64_t serial = 0;
  const void* window = nullptr;  // whose pages it writes; never followed
  // What the kernel reads and writes stays mapped as long as this lives.
  std::shared_ptr<const void> source;
  uint64_t bytes = 0;
  uint64_t block = 0;  // in the arena
  const Item* items = nullptr;
  uint32_t item_count = 0;
  uint32_t groups = 0;
  uint32_t launched = 0;  // of the groups
  uint32_t finished = 0;
  uint32_t launches = 0;  // under way
  uint64_t landed = 0;    // bytes told of
  bool dropped = false;   // nothing more of it is launched

  bool over() const { return launches == 0 && (dropped || finished == groups); }
};

class Puller {
 public:
  // `blocks`: how many multiprocessors a launch may take.
  static absl::StatusOr<std::unique_ptr<Puller>> Create(const Gpu* gpu, uint32_t blocks);
  // Waits until the GPU has let go of everything.
  ~Puller();

  const Gpu* gpu() const { return gpu_; }

  // Takes a checked list. False: no room for it now; try again after a Poll. TOO_LARGE: never.
  absl::StatusOr<bool> Add(Pull pull, WorkList* work, absl::Span<const uint64_t> source_at,
                           absl::Span<const uint64_t> target_at);
  // Launches nothing more of the window, of the channel.
  void DropWindow(const void* window);
  void DropChannel(ChannelId channel);
  bool Writes(const void* window) const;
  // A chunk that came over the channel for the window is not over.
  bool Pulls(const void* window, ChannelId channel) const;

  struct Over {
    ChannelId channel;
    uint64_t serial;
  };
  // Launches what it can. Pulls that are over, and the bytes that landed since the last call. An
  // error is the GPU's, and lasting.
  absl::Status Poll(std::vector<Over>* over, uint64_t* landed);
  bool idle() const { return pulls_.empty(); }

 private:
  struct Part {
    Pull* pull;
    uint32_t groups;
  };
  struct Flight {
    Event event = nullptr;
    std::vector<Part> parts;
  };

  Puller(const Gpu* gpu, uint32_t blocks) : gpu_(gpu), blocks_(blocks) {}
  absl::Status Stage(Pull* pull, WorkList* work, absl::Span<const uint64_t> source_at,
                     absl::Span<const uint64_t> target_at);
  absl::Status Reap(uint64_t* landed);
  absl::Status LaunchNext();
  void FillLaunch(Launch* launch, std::vector<Part>* parts);
  void Sweep(std::vector<Over>* over);

  const Gpu* const gpu_;
  const uint32_t blocks_;
  std::unique_ptr<Arena> arena_;
  std::deque<std::unique_ptr<Pull>> pulls_;  // whose turn it is comes first
  std::deque<Flight> flights_;
  std::vector<Event> spare_events_;
  absl::Status failed_;
};

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_PULLER_H_
