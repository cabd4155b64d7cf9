// One HTTP request in a test, over a socket of its own.
#ifndef BATON_ADMIN_HTTP_GET_H_
#define BATON_ADMIN_HTTP_GET_H_

#include <string>

#include "absl/strings/string_view.h"

namespace baton::admin {

struct HttpReply {
  int status = 0;  // 0: no answer
  std::string head;
  std::string body;
};

// Sends `bytes` as they are to host:port, a numeric IPv4 address, and reads until the other side
// closes.
HttpReply SendHttp(const std::string& address, absl::string_view bytes);
HttpReply HttpGet(const std::string& address, absl::string_view path,
                  absl::string_view method = "GET");

}  // namespace baton::admin

#endif  // BATON_ADMIN_HTTP_GET_H_
