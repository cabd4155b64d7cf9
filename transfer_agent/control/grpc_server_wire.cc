#include "transfer_agent/control/grpc_server_wire.h"

#include <utility>

#include "client/rpc/status.h"
#include "common/reason.h"
#include "transfer_agent/control/grpc_bytes.h"

namespace baton::control {

void GrpcServerWire::Start(const Wires::Accept& accept) {
  self_ = shared_from_this();
  events_ = accept(self_);
}

void GrpcServerWire::Read() {
  MutexLock lock(&mu_);
  if (!finished_) StartRead(&read_);
}

void GrpcServerWire::Write(Body body, std::string numbers) {
  MutexLock lock(&mu_);
  if (finished_) return;
  written_ = ToByteBuffer(std::move(body), numbers);
  StartWrite(&written_);
}

void GrpcServerWire::Close(const absl::Status& why) {
  MutexLock lock(&mu_);
  FinishOnce(ToGrpc(why));
}

void GrpcServerWire::Abort() {
  MutexLock lock(&mu_);
  FinishOnce(grpc::Status::CANCELLED);
  if (!done_) context_->TryCancel();
}

void GrpcServerWire::FinishOnce(const grpc::Status& status) {
  if (!std::exchange(finished_, true)) Finish(status);
}

void GrpcServerWire::OnReadDone(bool ok) {
  // The dialler has gone, or cancelled.
  if (!ok) return Close(absl::OkStatus());
  const size_t bytes = read_.Length();
  events_->OnRead(ParseByteBuffer(&read_), bytes);
}

void GrpcServerWire::OnWriteDone(bool ok) {
  if (!ok) return Abort();
  events_->OnWritten();
}

void GrpcServerWire::OnCancel() { Close(Error(Reason::kPeerLost, "the stream broke")); }

void GrpcServerWire::OnDone() {
  {
    MutexLock lock(&mu_);
    done_ = true;
  }
  auto self = std::move(self_);
  auto gate = gate_;
  events_->OnClosed(Error(Reason::kPeerLost, "the dialler closed the stream, or it broke"));
  events_ = nullptr;
  self = nullptr;
  gate->Leave();
}

}  // namespace baton::control
