// Who an engine is, read from its pod, so that nothing is typed for one pod
// (deploy/k8s/components/lws sets the variables):
//
//   auto pod = ReadPodIdentity();
//   options.agent_socket = pod->agent_socket;
//   options.server = pod->server;
//   options.launch_id = pod->is_leader() ? pod->launch_id : launch_id_from_the_leader;
//   options.coord = *CoordOfRank(pod->index * ranks_per_pod + local_rank, options.spec.sizes);
//
// Thread-safe as long as nobody writes the environment.
#ifndef BATON_CLIENT_ENGINE_POD_IDENTITY_H_
#define BATON_CLIENT_ENGINE_POD_IDENTITY_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "common/ids.h"

namespace baton {

struct PodIdentity {
  std::string agent_socket;  // BATON_ATTACH_SOCKET, or where agents put it
  std::string server;        // BATON_SERVER
  // Equal in all processes of one start of this pod's engine and new at the next one:
  // BATON_LAUNCH_ID, or made of POD_UID and of when the container started. Of a server of several
  // pods the leader's counts: the engine hands it to its workers with whatever it uses to join
  // them, as Kubernetes gives them no value that is new at each start.
  std::string launch_id;
  uint32_t index = 0;  // LWS_WORKER_INDEX: this pod among those of the server
  uint32_t pods = 1;   // LWS_GROUP_SIZE

  bool is_leader() const { return index == 0; }
};

using ReadVariable = std::function<const char*(const char*)>;

// CONFIG names the variable that is missing or wrong. `process_one` is the stat file of the
// container's first process: the pod's pause process where the pod shares one PID namespace, so
// that such a pod must give BATON_LAUNCH_ID.
absl::StatusOr<PodIdentity> ReadPodIdentity();
absl::StatusOr<PodIdentity> ReadPodIdentity(const ReadVariable& getenv,
                                            const std::string& process_one);

// Of rank number `rank` of all, counted with tp fastest, then cp, pp and dp. BAD_COORD when there
// are not so many.
absl::StatusOr<RankCoord> CoordOfRank(uint32_t rank, const RankCoord& sizes);

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_POD_IDENTITY_H_
