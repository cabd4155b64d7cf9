// The acceptor's end of a stream.
#ifndef BATON_TRANSFER_AGENT_CONTROL_GRPC_SERVER_WIRE_H_
#define BATON_TRANSFER_AGENT_CONTROL_GRPC_SERVER_WIRE_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "common/mutex.h"
#include "transfer_agent/control/gate.h"
#include "transfer_agent/control/wire.h"

namespace baton::control {

class GrpcServerWire : public Wire,
                       public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                       public std::enable_shared_from_this<GrpcServerWire> {
 public:
  // The gate is entered already; left after OnClosed.
  GrpcServerWire(grpc::CallbackServerContext* context, std::shared_ptr<Gate> gate)
      : context_(context), gate_(std::move(gate)) {}

  // Once, at the beginning. The wire keeps itself alive until OnClosed.
  void Start(const Wires::Accept& accept);

  void Read() override;
  void Write(Body body, std::string numbers) override;
  void Close(const absl::Status& why) override;
  void Abort() override;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  void FinishOnce(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  grpc::CallbackServerContext* context_;  // null after OnDone
  const std::shared_ptr<Gate> gate_;
  std::shared_ptr<WireEvents> events_;
  std::shared_ptr<GrpcServerWire> self_;
  grpc::ByteBuffer read_;
  grpc::ByteBuffer written_;
  Mutex mu_;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  bool done_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_GRPC_SERVER_WIRE_H_
