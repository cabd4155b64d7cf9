// A gRPC server's connections, from an accept loop of ours (common/accept_loop.h says why).
//
//   auto listener = GrpcListener::Bind("registry", "0.0.0.0:7411");
//   (*listener)->Join(&builder);
//   server = builder.BuildAndStart();
//   (*listener)->Start();
//
// Stop it before the server is shut down. Skins only.
#ifndef BATON_CLIENT_RPC_GRPC_LISTENER_H_
#define BATON_CLIENT_RPC_GRPC_LISTENER_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/accept_loop.h"
#include "common/unix_socket.h"

namespace baton {

class GrpcListener {
 public:
  // CONFIG: what stands in the way; the caller names its flag.
  static absl::StatusOr<std::unique_ptr<GrpcListener>> Bind(std::string name,
                                                            const std::string& address) {
    auto fd = ListenTcp(address);
    if (!fd.ok()) return fd.status();
    std::string bound = BoundAddress(address, fd->get());
    return std::unique_ptr<GrpcListener>(
        new GrpcListener(std::move(name), std::move(bound), *std::move(fd), First::kServer));
  }
  // On a Unix socket of these permissions, which the caller unlinks in the end.
  static absl::StatusOr<std::unique_ptr<GrpcListener>> BindUnix(std::string name,
                                                                const std::string& path,
                                                                mode_t mode) {
    constexpr int kBacklog = 64;
    auto fd = ListenStream(path, kBacklog, mode);
    if (!fd.ok()) return fd.status();
    return std::unique_ptr<GrpcListener>(
        new GrpcListener(std::move(name), path, *std::move(fd), First::kClient));
  }

  const std::string& address() const { return address_; }

  void Join(grpc::ServerBuilder* builder) {
    acceptor_ = builder->experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        grpc::InsecureServerCredentials());
    // Who connects and says nothing holds a descriptor no longer than the slowest client needs.
    builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10000);
  }

  // Once the server has started.
  void Start() {
    loop_.emplace(name_, std::move(fd_), LimitsOfFiles(), first_, [this](UniqueFd fd) {
      grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
      connection.fd = fd.Release();
      acceptor_->HandleNewConnection(&connection);
    });
  }
  void Stop() {
    if (loop_.has_value()) loop_->Stop();
  }

  absl::Status health() const { return loop_.has_value() ? loop_->health() : absl::OkStatus(); }
  bool live() const { return !loop_.has_value() || loop_->live(); }
  uint64_t refused() const { return loop_.has_value() ? loop_->refused() : 0; }

 private:
  GrpcListener(std::string name, std::string address, UniqueFd fd, First first)
      : name_(std::move(name)), address_(std::move(address)), fd_(std::move(fd)), first_(first) {}

  const std::string name_;
  const std::string address_;
  UniqueFd fd_;
  const First first_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::optional<AcceptLoop> loop_;
};

}  // namespace baton

#endif  // BATON_CLIENT_RPC_GRPC_LISTENER_H_
