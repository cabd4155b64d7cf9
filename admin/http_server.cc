#include "admin/http_server.h"

#include <civetweb.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/reason.h"

namespace baton::admin {
namespace {

// Nothing of a page may load or run anything, wherever its text came from.
constexpr char kPolicy[] =
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; "
    "frame-ancestors 'none'; base-uri 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cache-Control: no-store\r\n"
    "Connection: close\r\n";

absl::string_view PhraseOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 503:
      return "Service Unavailable";
  }
  return "Internal Server Error";
}

// civetweb binds to addresses, not to names; this is the one name that people write.
std::string PortsOf(const std::string& listen) {
  absl::string_view rest = listen;
  if (absl::ConsumePrefix(&rest, "localhost:")) return absl::StrCat("127.0.0.1:", rest);
  return listen;
}

class CivetServer final : public HttpServer {
 public:
  explicit CivetServer(HttpRoutes routes) : routes_(std::move(routes)) {}
  ~CivetServer() override {
    if (context_ != nullptr) Stop();
    mg_exit_library();
  }

  absl::Status Serve(const std::string& listen) {
    mg_init_library(0);
    const std::string ports = PortsOf(listen);
    // A request has two seconds in all, and holds a thread for as long: slow senders by the dozen
    // leave some to everyone else.
    const char* options[] = {
        "listening_ports",    ports.c_str(), "num_threads", "50", "max_request_size", "8192",
        "request_timeout_ms", "2000",        nullptr};
    mg_callbacks callbacks = {};
    callbacks.begin_request = &CivetServer::OnRequest;
    callbacks.log_message = &CivetServer::OnLog;
    context_ = mg_start(&callbacks, this, options);
    mg_server_port port = {};
    if (context_ == nullptr || mg_get_server_ports(context_, 1, &port) < 1) {
      return Error(Reason::kConfig,
                   absl::StrCat("--admin_listen=", listen,
                                ": the address cannot be served: is the port in use, or the host "
                                "not a numeric address of this machine?"));
    }
    address_ = absl::StrCat(listen.substr(0, listen.rfind(':')), ":", port.port);
    host_ = ports.substr(0, ports.rfind(':'));
    port_ = port.port;
    return absl::OkStatus();
  }

  std::string address() const override { return address_; }

 private:
  // civetweb's accepting thread sees that it shall stop when a connection comes, or 2 s later: so
  // they come until it has stopped. Where no thread can be had to knock, 2 s it is.
  void Stop() {
    pthread_t knocking;
    const bool knocks = pthread_create(&knocking, nullptr, KnockUntilStopped, this) == 0;
    mg_stop(context_);
    stopped_ = true;
    if (knocks) pthread_join(knocking, nullptr);
  }

  static void* KnockUntilStopped(void* server) {
    const auto* self = static_cast<const CivetServer*>(server);
    while (!self->stopped_) {
      char why_not[128];
      mg_connection* knock = mg_connect_client(self->host_.c_str(), self->port_, /*use_ssl=*/0,
                                               why_not, sizeof(why_not));
      if (knock != nullptr) mg_close_connection(knock);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return nullptr;
  }

  // Returns the status, which tells civetweb that the request was answered here.
  static int OnRequest(mg_connection* connection) {
    const mg_request_info* info = mg_get_request_info(connection);
    auto* self = static_cast<CivetServer*>(info->user_data);
    const absl::string_view method = info->request_method;
    const bool head = method == "HEAD";
    HttpAnswer answer = head || method == "GET"
                            ? self->Answer(info->local_uri, info->query_string)
                            : HttpAnswer{405, kPlainText, "only GET and HEAD are served here\n"};
    const std::string header = absl::StrCat(
        "HTTP/1.1 ", answer.status, " ", PhraseOf(answer.status),
        "\r\nContent-Type: ", answer.content_type, "\r\nContent-Length: ", answer.body.size(),
        "\r\n", answer.status == 405 ? "Allow: GET, HEAD\r\n" : "", kPolicy, "\r\n");
    mg_write(connection, header.data(), header.size());
    if (!head) mg_write(connection, answer.body.data(), answer.body.size());
    return answer.status;
  }

  HttpAnswer Answer(const char* path, const char* query) const {
    constexpr size_t kQueryBytesMax = 2048;
    auto it = routes_.find(absl::NullSafeStringView(path));
    if (it != routes_.end()) {
      return it->second(absl::NullSafeStringView(query).substr(0, kQueryBytesMax));
    }
    HttpAnswer unknown{404, kPlainText, "nothing is served here; these paths are:\n"};
    for (const auto& [known, handler] : routes_) absl::StrAppend(&unknown.body, known, "\n");
    return unknown;
  }

  // What a client did wrong is the client's to know.
  static int OnLog(const mg_connection*, const char*) { return 1; }

  const HttpRoutes routes_;
  mg_context* context_ = nullptr;
  std::string address_;
  // What civetweb itself can dial.
  std::string host_;
  int port_ = 0;
  std::atomic<bool> stopped_{false};
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& listen,
                                                              HttpRoutes routes) {
  auto server = std::make_unique<CivetServer>(std::move(routes));
  if (absl::Status status = server->Serve(listen); !status.ok()) return status;
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace baton::admin
