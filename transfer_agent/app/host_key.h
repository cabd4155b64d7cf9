// Who can share memory with this process.
#ifndef BATON_TRANSFER_AGENT_APP_HOST_KEY_H_
#define BATON_TRANSFER_AGENT_APP_HOST_KEY_H_

#include <string>

namespace baton::agent {

// Equal in two processes iff transport shm can join them: same boot of the same kernel, and the
// same socket folder (or, when empty, the same network namespace: abstract sockets belong to it).
std::string HostKey(const std::string& shm_folder);

}  // namespace baton::agent

#endif  // BATON_TRANSFER_AGENT_APP_HOST_KEY_H_
