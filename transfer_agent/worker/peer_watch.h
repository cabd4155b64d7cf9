// What engines ask of peer servers: is it there, and would a room with it be offered now? Each
// question stands until it is taken back; the answer in the completion table follows the registry
// and the announcements of peers. Asking also dials the peer's agents, so that the first room finds
// them connected.
//
// Runs on the worker's thread, and does per change what opening one room does.
#ifndef BATON_TRANSFER_AGENT_WORKER_PEER_WATCH_H_
#define BATON_TRANSFER_AGENT_WORKER_PEER_WATCH_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/shm_abi/commands.h"
#include "common/shm_abi/peer_row.h"
#include "transfer_agent/worker/source_finder.h"
#include "transfer_agent/worker/worker_context.h"

namespace baton::worker {

// Thread-compatible.
class PeerWatch {
 public:
  PeerWatch(WorkerContext* context, SourceFinder* finder) : context_(context), finder_(finder) {}

  // --- from the engine
  void Watch(const HostedRank& rank, const shm_abi::WatchPeer& watch);
  void Forget(const HostedRank& rank, const shm_abi::ForgetPeer& forget);
  void EngineGone(const HostedRank& rank);

  // --- what the worker learns
  void OnServer(const ServerView& server);
  void OnServerRemoved(const std::string& name);
  void OnRemoteRanks();
  // The rank takes rooms now, or does not any more.
  void OnHostedRank(const HostedRank& rank);

 private:
  struct Question {
    std::string asked;  // name or alias
    shm_abi::PeerAnswer answer;
    // Source ranks that rooms need, for the start of the server that they were worked out for.
    Incarnation needs_of;
    std::vector<RankCoord> needs;
  };
  using Key = std::pair<AttachmentId, uint32_t>;  // rank, row

  void Answer(const Key& key, Question& question);
  shm_abi::PeerAnswer Look(const HostedRank& rank, Question& question);
  // OK when every source that a room of the rank could need is there and can be reached.
  absl::Status LookAtSources(const HostedRank& rank, const ServerView& server,
                             Question& question) const;
  absl::Status LookAtTargets(const HostedRank& rank, const ServerView& server) const;

  WorkerContext* const context_;
  SourceFinder* const finder_;
  std::map<Key, Question> questions_;
};

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_PEER_WATCH_H_
