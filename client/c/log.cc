// Where the client's log lines go.
#include <glog/logging.h>

#include <memory>
#include <string>
#include <utility>

#include "client/c/baton.h"
#include "common/mutex.h"

namespace {

class FunctionSink final : public google::LogSink {
 public:
  FunctionSink(baton_log_function function, void* context)
      : function_(function), context_(context) {}

  void send(google::LogSeverity severity, const char*, const char*, int,
            const google::LogMessageTime&, const char* message, size_t length) override {
    const std::string text(message, length);
    function_(context_, std::min<int32_t>(severity, BATON_LOG_ERROR), text.c_str());
  }

 private:
  const baton_log_function function_;
  void* const context_;
};

baton::Mutex mutex;
std::unique_ptr<FunctionSink> sink;

// Files are for programs that ask for them.
void StartLog() {
  if (google::IsGoogleLoggingInitialized()) return;
  FLAGS_logtostderr = true;
  google::InitGoogleLogging("libbaton");
}

}  // namespace

extern "C" void baton_set_log(baton_log_function function, void* context) {
  baton::MutexLock lock(&mutex);
  StartLog();
  if (sink != nullptr) google::RemoveLogSink(sink.get());  // waits for its calls
  sink.reset();
  FLAGS_logtostderr = function == nullptr;
  FLAGS_stderrthreshold = function == nullptr ? google::GLOG_INFO : google::NUM_SEVERITIES;
  for (int severity = 0; severity < google::NUM_SEVERITIES; ++severity) {
    google::SetLogDestination(severity, "");
  }
  if (function == nullptr) return;
  sink = std::make_unique<FunctionSink>(function, context);
  google::AddLogSink(sink.get());
}
