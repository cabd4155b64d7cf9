#include "common/log_writer.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <deque>
#include <utility>

#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "common/mutex.h"

namespace baton {
namespace {

constexpr auto kFarewell = std::chrono::milliseconds(500);

void WriteAll(int fd, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    // A log that nobody can take is no reason to stop.
    if (written <= 0) return;
    text.remove_prefix(written);
  }
}

}  // namespace

struct LogWriter::State {
  Mutex mu;
  CondVar changed;
  std::deque<std::string> lines ABSL_GUARDED_BY(mu);  // the first one is being written
  size_t bytes ABSL_GUARDED_BY(mu) = 0;
  uint64_t lost ABSL_GUARDED_BY(mu) = 0;
  uint64_t told ABSL_GUARDED_BY(mu) = 0;
  bool stopping ABSL_GUARDED_BY(mu) = false;
};

LogWriter::LogWriter(int fd) : state_(std::make_shared<State>()) {
  // The program's own thread takes its signals, also where it blocks them only later.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([state = state_, fd] { Run(state, fd); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LogWriter::~LogWriter() {
  Drain(kFarewell);
  bool idle;
  {
    MutexLock lock(&state_->mu);
    state_->stopping = true;
    state_->changed.NotifyAll();
    idle = state_->lines.empty();
  }
  idle ? thread_.join() : thread_.detach();
}

void LogWriter::Run(const std::shared_ptr<State>& state, int fd) {
  state->mu.Lock();
  while (true) {
    while (state->lines.empty() && !state->stopping) {
      state->changed.WaitUntil(&state->mu, Monotonic::now() + std::chrono::seconds(60));
    }
    if (state->lines.empty()) break;
    // Stays in its place: nobody else takes from the front.
    const std::string& line = state->lines.front();
    state->mu.Unlock();
    WriteAll(fd, line);
    state->mu.Lock();
    state->bytes -= line.size();
    state->lines.pop_front();
    if (state->lines.empty()) state->changed.NotifyAll();
  }
  state->mu.Unlock();
}

bool LogWriter::Write(std::string line) {
  MutexLock lock(&state_->mu);
  if (state_->bytes + line.size() > kLogBytesMax) {
    ++state_->lost;
    return false;
  }
  state_->bytes += line.size();
  state_->lines.push_back(std::move(line));
  state_->changed.NotifyAll();
  return true;
}

uint64_t LogWriter::TakeLost() {
  MutexLock lock(&state_->mu);
  if (state_->bytes > kLogBytesMax / 2) return 0;
  return state_->lost - std::exchange(state_->told, state_->lost);
}

uint64_t LogWriter::lost() const {
  MutexLock lock(&state_->mu);
  return state_->lost;
}

void LogWriter::Drain(std::chrono::milliseconds limit) {
  const TimePoint ends = Monotonic::now() + limit;
  MutexLock lock(&state_->mu);
  while (!state_->lines.empty()) {
    if (!state_->changed.WaitUntil(&state_->mu, ends)) return;
  }
}

}  // namespace baton
