#include "common/thread_limit.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton {
namespace {

// Held by who asks until all that can be had have started.
void* WaitForIt(void* held) {
  auto* mutex = static_cast<pthread_mutex_t*>(held);
  pthread_mutex_lock(mutex);
  pthread_mutex_unlock(mutex);
  return nullptr;
}

void OnTimeUp(int) {
  constexpr char kSaid[] = "stopping took too long: the process ends now\n";
  (void)!write(STDERR_FILENO, kSaid, sizeof(kSaid) - 1);
  _exit(3);
}

}  // namespace

absl::Status CheckThreadLimit(size_t least) {
  pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&held);
  std::vector<pthread_t> threads;
  pthread_t thread;
  while (threads.size() < least && pthread_create(&thread, nullptr, WaitForIt, &held) == 0) {
    threads.push_back(thread);
  }
  pthread_mutex_unlock(&held);
  for (pthread_t started : threads) pthread_join(started, nullptr);
  if (threads.size() == least) return absl::OkStatus();
  return Error(
      Reason::kConfig,
      absl::StrCat("only ", threads.size(), " threads can be started, and ", least,
                   " is the least to run with: raise RLIMIT_NPROC of this user (ulimit -u), the "
                   "pids limit of the pod or container, or its memory"));
}

size_t ThreadsOfGrpc() {
  // Two executors, the timer's and the event engine's, of which the latter grows with the cores.
  return 8 + std::clamp<size_t>(std::thread::hardware_concurrency(), 2, 16);
}

void EndWithin(unsigned seconds) {
  struct sigaction ours {};
  ours.sa_handler = OnTimeUp;
  sigaction(SIGALRM, &ours, nullptr);
  sigset_t alarms;
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &alarms, nullptr);
  alarm(seconds);
}

}  // namespace baton
