// The dialler's end of a stream: one channel, one call, gone together.
#ifndef BATON_TRANSFER_AGENT_CONTROL_GRPC_CLIENT_WIRE_H_
#define BATON_TRANSFER_AGENT_CONTROL_GRPC_CLIENT_WIRE_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "common/mutex.h"
#include "transfer_agent/control/gate.h"
#include "transfer_agent/control/wire.h"

namespace baton::control {

class GrpcClientWire : public Wire,
                       public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                       public std::enable_shared_from_this<GrpcClientWire> {
 public:
  // The gate is entered already; left after OnClosed.
  GrpcClientWire(std::shared_ptr<grpc::Channel> channel, std::shared_ptr<WireEvents> events,
                 std::shared_ptr<Gate> gate);

  // Once, at the beginning. The wire keeps itself alive until OnClosed.
  void Start();

  void Read() override;
  void Write(Body body, std::string numbers) override;
  void Close(const absl::Status& why) override;
  void Abort() override { Close(absl::OkStatus()); }

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

 private:
  // No more operations: lets OnDone come.
  void Over();

  const std::shared_ptr<Gate> gate_;
  std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  std::shared_ptr<WireEvents> events_;
  std::shared_ptr<GrpcClientWire> self_;
  grpc::ByteBuffer read_;
  grpc::ByteBuffer written_;
  Mutex mu_;
  bool over_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_GRPC_CLIENT_WIRE_H_
