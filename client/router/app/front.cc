#include "client/router/app/front.h"

#include <civetweb.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/router/app/civet_client.h"
#include "client/router/app/exchange.h"
#include "client/router/app/openai.h"
#include "common/log.h"
#include "common/mutex.h"
#include "common/reason.h"

namespace baton::proxy {
namespace {

// Threads beside those of --max_requests, for what is refused or answered at once.
constexpr uint32_t kSpareThreads = 16;
// In which requests that are ended tell their clients so.
constexpr auto kLastWords = std::chrono::milliseconds(2000);

bool IsCompletion(absl::string_view path) {
  return path == "/v1/completions" || path == "/v1/chat/completions";
}

// civetweb binds to addresses, not to names; this is the one name that people write.
std::string PortsOf(const std::string& listen) {
  absl::string_view rest = listen;
  if (absl::ConsumePrefix(&rest, "localhost:")) return absl::StrCat("127.0.0.1:", rest);
  return listen;
}

class CivetFront final : public Front {
 public:
  CivetFront(const RouterProgramOptions& options, RouterClient* router, Stats* stats)
      : options_(options), stats_(stats), shared_{options, router, stats, stopping_} {}
  ~CivetFront() override {
    Stop();
    mg_exit_library();
  }

  absl::Status Serve() {
    mg_init_library(0);
    const std::string ports = PortsOf(options_.listen);
    const std::string threads = absl::StrCat(options_.max_requests + kSpareThreads);
    const std::string client_ms = absl::StrCat(options_.client_ms);
    const char* flags[] = {"listening_ports",    ports.c_str(),     "num_threads",
                           threads.c_str(),      "tcp_nodelay",     "1",
                           "request_timeout_ms", client_ms.c_str(), nullptr};
    mg_callbacks callbacks = {};
    callbacks.begin_request = &CivetFront::OnRequest;
    callbacks.log_message = [](const mg_connection*, const char*) { return 1; };
    context_ = mg_start(&callbacks, this, flags);
    mg_server_port port = {};
    if (context_ == nullptr || mg_get_server_ports(context_, 1, &port) < 1) {
      return Error(Reason::kConfig,
                   absl::StrCat("--listen=", options_.listen,
                                ": the address cannot be served: is the port in use, or the host "
                                "not a numeric address of this machine?"));
    }
    address_ = absl::StrCat(options_.listen.substr(0, options_.listen.rfind(':')), ":", port.port);
    return absl::OkStatus();
  }

  std::string address() const override { return address_; }
  void BeginDrain() override { draining_ = true; }
  bool draining() const override { return draining_; }

  void Stop() override {
    if (context_ == nullptr) return;
    BeginDrain();
    const uint32_t left = AwaitNone(std::chrono::milliseconds(options_.drain_ms));
    if (left > 0) {
      LOG(WARNING) << "router: " << left << " requests are ended: --drain_ms=" << options_.drain_ms
                   << " is over";
    }
    stopping_ = true;
    AwaitNone(kLastWords);
    // Waits for the threads; none of them can write any more.
    mg_stop(std::exchange(context_, nullptr));
  }

 private:
  // How many are open when there are none, or the time is over.
  uint32_t AwaitNone(std::chrono::milliseconds wait) {
    MutexLock lock(&mu_);
    const TimePoint until = Monotonic::now() + wait;
    while (open_ > 0 && changed_.WaitUntil(&mu_, until)) {
    }
    return open_;
  }

  // Returns the status, which tells civetweb that the request was answered here.
  static int OnRequest(mg_connection* connection) {
    const mg_request_info* info = mg_get_request_info(connection);
    CivetClient client(connection);
    static_cast<CivetFront*>(info->user_data)->Answer(*info, &client);
    return 200;
  }

  void Answer(const mg_request_info& info, CivetClient* client) {
    const absl::string_view path = absl::NullSafeStringView(info.local_uri);
    const absl::string_view method = absl::NullSafeStringView(info.request_method);
    const bool completion = IsCompletion(path);
    if (!completion && path != "/v1/models" && path != "/health") {
      client->Refuse(404,
                     "nothing is served here; these paths are: POST /v1/completions, POST "
                     "/v1/chat/completions, GET /v1/models, GET /health");
    } else if (method != (completion ? "POST" : "GET")) {
      client->Refuse(405, absl::StrCat(path, " is served to ", completion ? "POST" : "GET"));
    } else if (completion) {
      Complete(std::string(path), client);
    } else if (path == "/v1/models") {
      std::set<std::string> models;
      for (const auto& server : shared_.router->Servers()) models.insert(server->model());
      client->Answer(200, kJsonType, ModelsBody(models));
    } else {
      client->Answer(draining_ ? 503 : 200, "text/plain", draining_ ? "ending\n" : "ok\n");
    }
  }

  void Complete(const std::string& path, CivetClient* client) {
    if (!Enter()) {
      client->Refuse(503, draining_ ? "this router is ending: ask again, another one will answer"
                                    : absl::StrCat("this router has ", options_.max_requests,
                                                   " requests under way, which is its "
                                                   "--max_requests: ask again later"));
      return stats_->Count(Outcome::kRefused);
    }
    stats_->Count(Carry(path, client));
    Leave();
  }

  Outcome Carry(const std::string& path, CivetClient* client) {
    absl::StatusOr<std::string> body = client->ReadBody(options_.max_request_bytes);
    absl::StatusOr<Asked> asked = body.ok() ? ParseRequest(*body) : body.status();
    if (!asked.ok()) {
      client->Refuse(absl::IsResourceExhausted(asked.status()) ? 413 : 400,
                     asked.status().message());
      return Outcome::kRefused;
    }
    return Exchange(shared_, *std::move(asked), {path, client->authorization()}, client).Run();
  }

  bool Enter() {
    MutexLock lock(&mu_);
    if (draining_ || open_ >= options_.max_requests) return false;
    ++open_;
    stats_->begun.Add();
    return true;
  }

  void Leave() {
    MutexLock lock(&mu_);
    --open_;
    stats_->ended.Add();
    changed_.NotifyAll();
  }

  const RouterProgramOptions& options_;
  Stats* const stats_;
  std::atomic<bool> draining_{false};
  std::atomic<bool> stopping_{false};
  const Shared shared_;
  mg_context* context_ = nullptr;
  std::string address_;
  Mutex mu_;
  CondVar changed_;
  uint32_t open_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Front>> Front::Start(const RouterProgramOptions& options,
                                                    RouterClient* router, Stats* stats) {
  // Here clients' sockets are found: without it none that goes away would be seen.
  if (access("/proc/self/fd", R_OK | X_OK) != 0) {
    return Error(Reason::kConfig, "/proc/self/fd cannot be read: mount /proc");
  }
  auto front = std::make_unique<CivetFront>(options, router, stats);
  if (absl::Status status = front->Serve(); !status.ok()) return status;
  return std::unique_ptr<Front>(std::move(front));
}

}  // namespace baton::proxy
