// A request as civetweb has it: its body read whole, its answer written whole or in pieces.
#ifndef BATON_CLIENT_ROUTER_APP_CIVET_CLIENT_H_
#define BATON_CLIENT_ROUTER_APP_CIVET_CLIENT_H_

#include <civetweb.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/router/app/exchange.h"

namespace baton::proxy {

class CivetClient final : public Client {
 public:
  // Of a request that is being handled, on its thread.
  explicit CivetClient(mg_connection* connection);

  // RESOURCE_EXHAUSTED: it is larger than `bytes_max`. INVALID_ARGUMENT: it did not come whole.
  absl::StatusOr<std::string> ReadBody(uint64_t bytes_max);

  // Of the request; empty when there is none.
  std::string authorization() const;

  int socket() const override { return socket_; }
  bool Answer(int status, absl::string_view type, absl::string_view body) override;
  bool BeginStream(int status, absl::string_view type) override;
  bool StreamPiece(absl::string_view bytes) override;
  bool EndStream() override;
  // As OpenAI's clients read it.
  bool Refuse(int status, absl::string_view words);

 private:
  bool Write(absl::string_view bytes);

  mg_connection* const connection_;
  const mg_request_info& info_;
  const int socket_;
  // Clients of HTTP/1.0 know no chunks: the connection's end is the stream's.
  const bool chunks_;
};

}  // namespace baton::proxy

#endif  // BATON_CLIENT_ROUTER_APP_CIVET_CLIENT_H_
