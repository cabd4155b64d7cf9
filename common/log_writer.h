// Writes lines to a descriptor from a thread of its own, so that nobody who logs waits for whoever
// reads: a full pipe, a stopped terminal, a slow disk. What does not fit into kLogBytesMax is lost
// and counted. Thread-safe.
#ifndef BATON_COMMON_LOG_WRITER_H_
#define BATON_COMMON_LOG_WRITER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace baton {

// A few seconds of a busy log.
inline constexpr size_t kLogBytesMax = 1 << 20;

class LogWriter {
 public:
  explicit LogWriter(int fd);
  // Waits a moment for what is written; leaves a thread behind that is stuck in a write.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // False: lost. Never waits.
  bool Write(std::string line);
  // Lines that were lost since the last call; 0 while there is no room to say so.
  uint64_t TakeLost();
  // All that were lost.
  uint64_t lost() const;
  // Until all lines so far are written, or for `limit` at most.
  void Drain(std::chrono::milliseconds limit);

 private:
  struct State;
  static void Run(const std::shared_ptr<State>& state, int fd);

  // Shared with the thread, which may outlive this.
  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace baton

#endif  // BATON_COMMON_LOG_WRITER_H_
