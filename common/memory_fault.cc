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
  // A jump restores no mask.
  sigset_t fault;
  sigemptyset(&fault);
  sigaddset(&fault, SIGBUS);
  pthread_sigmask(SIG_UNBLOCK, &fault, nullptr);
  siglongjmp(*std::exchange(guard.escape, nullptr), 1);
}

bool Take() {
  struct sigaction ours {};
  ours.sa_sigaction = OnFault;
  ours.sa_flags = SA_SIGINFO;
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
