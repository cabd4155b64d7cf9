// The streams that are open, so that each can be ended when its time is over: no rpc waits for
// ever, whatever its client does.
#ifndef BATON_BOOTSTRAP_SERVICE_RPC_STREAMS_H_
#define BATON_BOOTSTRAP_SERVICE_RPC_STREAMS_H_

#include <set>
#include <string>

#include "absl/status/status.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/reason.h"

namespace baton::registry {

// How long a client that was told to go may take to read the reason, before the call is cancelled.
inline constexpr auto kFarewell = std::chrono::seconds(30);

class Stream {
 public:
  virtual ~Stream() = default;
  // When it has to end unless something happens; once it has ended, when its farewell is over.
  virtual TimePoint ends() const = 0;
  // Must not block nor call the set. Cancels the call when its farewell is over.
  virtual void End(const absl::Status& why) = 0;
  virtual absl::Status WhyItEnds() const = 0;
};

// Thread-safe.
class StreamSet {
 public:
  // False: the set is stopped or holds `max`.
  bool Add(Stream* stream, size_t max) {
    MutexLock lock(&mu_);
    if (stopped_ || streams_.size() >= max) return false;
    streams_.insert(stream);
    return true;
  }
  // After it returns the stream is not used any more.
  void Remove(Stream* stream) {
    MutexLock lock(&mu_);
    streams_.erase(stream);
  }
  void Sweep(TimePoint now) {
    MutexLock lock(&mu_);
    for (Stream* stream : streams_) {
      if (stream->ends() <= now) stream->End(stream->WhyItEnds());
    }
  }
  void Stop() {
    MutexLock lock(&mu_);
    stopped_ = true;
    for (Stream* stream : streams_) {
      stream->End(Error(Reason::kDraining, "the service is stopping"));
    }
  }

 private:
  Mutex mu_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::set<Stream*> streams_ ABSL_GUARDED_BY(mu_);
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_RPC_STREAMS_H_
