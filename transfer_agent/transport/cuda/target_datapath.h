// The receiving end of a cuda channel: has the chunks that the source names pulled into the
// target's pages, and says when they are not read any more. Hot path.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_CUDA_TARGET_DATAPATH_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_CUDA_TARGET_DATAPATH_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "transfer_agent/transport/cuda/message.h"
#include "transfer_agent/transport/cuda/peer_memory.h"
#include "transfer_agent/transport/cuda/pull_engine.h"
#include "transfer_agent/transport/cuda/work_list.h"
#include "transfer_agent/transport/shm/message.h"
#include "transfer_agent/transport/stream/landing.h"
#include "transfer_agent/transport/stream/path.h"

namespace baton::transport::cuda {

class TargetDatapath final : public TargetLink {
 public:
  TargetDatapath(const LinkContext& context, PullEngine* engine)
      : context_(context), engine_(engine), memory_(engine->gpus()) {}
  ~TargetDatapath() override { engine_->DropChannel(context_.channel); }

  void DropWindow(const OpenedWindow* window) override { engine_->DropWindow(window); }
  absl::StatusOr<Pumped> Pump(int fd, Edges edges) override;

 private:
  absl::Status OnMessage();
  absl::Status OnMemory();
  absl::Status OnWords();
  // The chunk's words are all here. False: the GPU has no room for it, or no mapping of it, yet.
  absl::StatusOr<bool> OnChunk();
  // An error breaks the window.
  absl::StatusOr<bool> StartPull(OpenedWindow* window);
  absl::StatusOr<bool> AddPull(OpenedWindow* window, const planner::Cursor& cursor);
  // Closes the part, or keeps the frame until what it closes has been pulled.
  absl::Status OnPart(const Frame& frame);
  // After everything that had come was heard: a cancel goes before a close.
  absl::Status CloseHeld(int fd);
  void OnCancel();
  void Break(OpenedWindow* window, const absl::Status& cause);
  absl::Status TakeOver();
  absl::StatusOr<bool> Acknowledge(int fd);

  const LinkContext context_;
  PullEngine* const engine_;
  PeerMemory memory_;
  WorkList work_;
  // The chunk whose words are coming in, or that waits for room.
  std::optional<Frame> chunk_;
  bool admitted_ = false;
  std::vector<OfferId> begun_;  // by this call of Pump
  ReadPages read_;
  std::deque<uint64_t> acks_;
  std::vector<Frame> held_;
  shm::Message message_;
};

}  // namespace baton::transport::cuda

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_CUDA_TARGET_DATAPATH_H_
