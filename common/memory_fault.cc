#include "common/memory_fault.h"

#include <signal.h>

#include <utility>

namespace baton::memory_fault::internal {
namespace {

struct sigaction former;

void OnFault(int, siginfo_t* info, void*) {
  Guard& guard = ThisThread();
  if (guard.escape == nullptr) {
    // Not ours. The access is made again, and whoever was asked before answers.
    sigaction(SIGBUS, &former, nullptr);
    return;
  }
  guard.address = info->si_addr;
  siglongjmp(*std::exchange(guard.escape, nullptr), 1);
}

bool Take() {
  struct sigaction ours {};
  ours.sa_sigaction = OnFault;
  // The handler is left by a jump, which restores no mask: so the signal must not be blocked in it.
  ours.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigemptyset(&ours.sa_mask);
  return sigaction(SIGBUS, &ours, &former) == 0;
}

}  // namespace

Guard& ThisThread() {
  thread_local Guard guard;
  return guard;
}

void Install() { [[maybe_unused]] static const bool taken = Take(); }

}  // namespace baton::memory_fault::internal
