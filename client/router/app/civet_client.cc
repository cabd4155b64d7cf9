#include "client/router/app/civet_client.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/router/app/client_socket.h"

namespace baton::proxy {
namespace {

constexpr size_t kReadBytes = 64 << 10;

std::string HeadOf(mg_connection* connection, int status, absl::string_view type,
                   absl::string_view framing) {
  return absl::StrCat("HTTP/1.1 ", status, " ", mg_get_response_code_text(connection, status),
                      "\r\nContent-Type: ", type, "\r\n", framing,
                      "Cache-Control: no-store\r\nConnection: close\r\n\r\n");
}

}  // namespace

CivetClient::CivetClient(mg_connection* connection)
    : connection_(connection),
      info_(*mg_get_request_info(connection)),
      socket_(FindConnection(info_.remote_addr, info_.remote_port, info_.server_port)),
      chunks_(absl::NullSafeStringView(info_.http_version) != "1.0") {}

std::string CivetClient::authorization() const {
  return std::string(absl::NullSafeStringView(mg_get_header(connection_, "Authorization")));
}

absl::StatusOr<std::string> CivetClient::ReadBody(uint64_t bytes_max) {
  const auto too_large = [bytes_max] {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the request is larger than the ", bytes_max,
        " bytes that this router takes: shorten it, or raise the router's --max_request_bytes"));
  };
  const int64_t said = info_.content_length;
  if (said > 0 && static_cast<uint64_t>(said) > bytes_max) return too_large();
  if (mg_get_header(connection_, "Expect") != nullptr) Write("HTTP/1.1 100 Continue\r\n\r\n");
  std::string body;
  std::vector<char> piece(kReadBytes);
  int got = 0;
  while ((got = mg_read(connection_, piece.data(), piece.size())) > 0) {
    body.append(piece.data(), got);
    if (body.size() > bytes_max) return too_large();
  }
  if (got < 0 || (said > 0 && body.size() < static_cast<uint64_t>(said))) {
    return absl::InvalidArgumentError(
        absl::StrCat("the request's body ended after ", body.size(), " bytes"));
  }
  return body;
}

bool CivetClient::Answer(int status, absl::string_view type, absl::string_view body) {
  const std::string framing = absl::StrCat("Content-Length: ", body.size(), "\r\n");
  return Write(absl::StrCat(HeadOf(connection_, status, type, framing), body));
}

bool CivetClient::BeginStream(int status, absl::string_view type) {
  return Write(HeadOf(connection_, status, type, chunks_ ? "Transfer-Encoding: chunked\r\n" : ""));
}

bool CivetClient::StreamPiece(absl::string_view bytes) {
  if (!chunks_ || bytes.empty()) return Write(bytes);
  return Write(absl::StrCat(absl::Hex(bytes.size()), "\r\n", bytes, "\r\n"));
}

bool CivetClient::EndStream() { return !chunks_ || Write("0\r\n\r\n"); }

bool CivetClient::Refuse(int status, absl::string_view words) {
  return Answer(status, kJsonType, ErrorBody(status, words));
}

bool CivetClient::Write(absl::string_view bytes) {
  if (bytes.empty()) return true;
  const int written = mg_write(connection_, bytes.data(), bytes.size());
  return written > 0 && static_cast<size_t>(written) == bytes.size();
}

}  // namespace baton::proxy
