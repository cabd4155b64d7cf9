// SIGTERM and SIGINT as an answer to a wait, for programs whose main thread has nothing else to do.
#ifndef BATON_COMMON_END_SIGNALS_H_
#define BATON_COMMON_END_SIGNALS_H_

#include <signal.h>

namespace baton {

// Blocked in every thread that starts after this, so that only WaitForSignal sees them.
sigset_t BlockEndSignals();

// The number of the first one. Flushes meanwhile what a flood of log lines kept back (TickLog).
int WaitForSignal(const sigset_t& signals);

}  // namespace baton

#endif  // BATON_COMMON_END_SIGNALS_H_
