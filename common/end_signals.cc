#include "common/end_signals.h"

#include <time.h>

#include "common/log_format.h"

namespace baton {

sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

int WaitForSignal(const sigset_t& signals) {
  constexpr timespec kPeriod = {0, 500'000'000};
  int number = 0;
  while ((number = sigtimedwait(&signals, nullptr, &kPeriod)) < 0) TickLog();
  return number;
}

}  // namespace baton
