// A small HTTP server for operators: fixed paths, GET and HEAD, whole answers made anew for each
// request. Plain text and HTML only; nothing here changes anything.
//
//   auto server = HttpServer::Start("127.0.0.1:0", {{"/healthz", [](absl::string_view query) {
//                                     return HttpAnswer{200, kPlainText, "ok\n"};
//                                   }}});
//
// Handlers run on the server's own few threads, several at once, and must answer soon. A client may
// take 5 s for a request.
#ifndef BATON_ADMIN_HTTP_SERVER_H_
#define BATON_ADMIN_HTTP_SERVER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton::admin {

inline constexpr absl::string_view kPlainText = "text/plain; charset=utf-8";
inline constexpr absl::string_view kHtml = "text/html; charset=utf-8";
inline constexpr absl::string_view kPrometheusText = "text/plain; version=0.0.4; charset=utf-8";

struct HttpAnswer {
  int status = 200;
  absl::string_view content_type = kPlainText;  // a constant
  std::string body;
};

// `query`: what stands after '?', as it came; at most 2 KiB.
using HttpHandler = std::function<HttpAnswer(absl::string_view query)>;
// By path, as "/metrics".
using HttpRoutes = std::map<std::string, HttpHandler, std::less<>>;

class HttpServer {
 public:
  // Serves when it returns. CONFIG names --admin_listen when the address cannot be had.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& listen,
                                                           HttpRoutes routes);
  // Requests that run are answered first.
  virtual ~HttpServer() = default;

  // host:port with the port that is served; the host as in `listen`.
  virtual std::string address() const = 0;
};

}  // namespace baton::admin

#endif  // BATON_ADMIN_HTTP_SERVER_H_
