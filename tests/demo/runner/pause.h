// Lets other processes get on while one waits for a file or an answer of theirs.
#ifndef BATON_TESTS_DEMO_RUNNER_PAUSE_H_
#define BATON_TESTS_DEMO_RUNNER_PAUSE_H_

#include <chrono>
#include <thread>

namespace baton::demo {

inline void Pause(std::chrono::milliseconds time) {
  // tidy-allow(sleep): other processes tell us nothing; every loop around this has a deadline
  std::this_thread::sleep_for(time);
}

}  // namespace baton::demo

#endif  // BATON_TESTS_DEMO_RUNNER_PAUSE_H_
