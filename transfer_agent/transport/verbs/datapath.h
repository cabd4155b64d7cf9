// The data path of one worker: completions in, chains of writes out.
//
// A completion is given to the channel that posted it, a part that is closed to the windows, and
// what came into GPU memory to the flusher. A channel whose queue pair fails is ended here, and the
// way to its peer is left out for a while. Nothing here allocates once it is warm, but for what a
// flush needs. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_DATAPATH_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_DATAPATH_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "transfer_agent/transport/transport.h"
#include "transfer_agent/transport/verbs/channels.h"
#include "transfer_agent/transport/verbs/fences.h"
#include "transfer_agent/transport/verbs/flusher.h"
#include "transfer_agent/transport/verbs/loop.h"
#include "transfer_agent/transport/verbs/memories.h"
#include "transfer_agent/transport/verbs/queue_pairs.h"
#include "transfer_agent/transport/verbs/rails.h"
#include "transfer_agent/transport/verbs/target_datapath.h"

namespace baton::transport::verbs {

class Datapath {
 public:
  // All outlive it.
  Datapath(Loop* loop, Rails* rails, const Memories* memories, QueuePairs* queue_pairs,
           Channels* channels)
      : loop_(loop),
        rails_(rails),
        memories_(memories),
        queue_pairs_(queue_pairs),
        channels_(channels),
        target_(&loop->counters),
        flusher_(loop, queue_pairs) {}

  Submitted Submit(ChannelId id, const Segment& segment);
  // Takes a bounded number of completions; false when there were none.
  bool Poll();
  // Takes what has arrived, all of it as far as a queue can hold.
  void Drain();
  // Channels in turn, each a chain on each of its queue pairs. False: there is nothing to post
  // until something happens.
  bool Post();

  // The windows, and what waits to be seen before it is told of.
  TargetDatapath& target() { return target_; }
  Flusher& flusher() { return flusher_; }
  // A fence holds: it is told of when what came before can be seen.
  void TellFenced(const Fences::Fence& fence);

 private:
  bool PollRail(Rail* rail);
  void TakeFlushed(const Rail& rail);
  void OnCompletion(const ibv_wc& wc);
  void OnFailed(const Place& place, const ibv_wc& wc, const WorkId& id);
  void OnReceived(const Place& place, const ibv_wc& wc);
  void OnPart(const Place& place, PartImmediate part);
  absl::Status OnWord(const Place& place, WordImmediate word);
  void OnHello(const Place& place);
  static void ReturnCredits(QueuePair* qp);
  bool PostChannel(Channel* channel);
  static absl::StatusOr<bool> PostWords(Channel* channel);
  bool SayGoodbye(Channel* channel);

  Loop* const loop_;
  Rails* const rails_;
  const Memories* const memories_;
  QueuePairs* const queue_pairs_;
  Channels* const channels_;
  TargetDatapath target_;
  Flusher flusher_;
  // Failures whose cause may still be behind them: taken when the rail's queue was seen empty.
  std::vector<ibv_wc> flushed_;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_DATAPATH_H_
