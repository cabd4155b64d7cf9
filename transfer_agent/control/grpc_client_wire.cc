#include "transfer_agent/control/grpc_client_wire.h"

#include <utility>

#include "transfer_agent/control/grpc_bytes.h"

namespace baton::control {

GrpcClientWire::GrpcClientWire(std::shared_ptr<grpc::Channel> channel,
                               std::shared_ptr<WireEvents> events, std::shared_ptr<Gate> gate)
    : gate_(std::move(gate)),
      channel_(std::move(channel)),
      stub_(channel_),
      events_(std::move(events)) {}

void GrpcClientWire::Start() {
  self_ = shared_from_this();
  stub_.PrepareBidiStreamingCall(&context_, "/baton.v1.AgentPeer/Control", grpc::StubOptions(),
                                 this);
  // Writes come from threads that are in no reaction.
  AddHold();
  StartCall();
}

void GrpcClientWire::Read() {
  MutexLock lock(&mu_);
  if (!over_) StartRead(&read_);
}

void GrpcClientWire::Write(Body body, std::string numbers) {
  MutexLock lock(&mu_);
  if (over_) return;
  written_ = ToByteBuffer(std::move(body), numbers);
  StartWrite(&written_);
}

void GrpcClientWire::Close(const absl::Status&) {
  Over();
  context_.TryCancel();
}

void GrpcClientWire::Over() {
  MutexLock lock(&mu_);
  if (std::exchange(over_, true)) return;
  RemoveHold();
}

void GrpcClientWire::OnReadDone(bool ok) {
  if (!ok) return Over();
  const size_t bytes = read_.Length();
  events_->OnRead(ParseByteBuffer(&read_), bytes);
}

void GrpcClientWire::OnWriteDone(bool ok) {
  if (!ok) return Over();
  events_->OnWritten();
}

void GrpcClientWire::OnDone(const grpc::Status& status) {
  auto self = std::move(self_);
  auto gate = gate_;
  events_->OnClosed(FromStreamStatus(status));
  events_ = nullptr;
  self = nullptr;
  gate->Leave();
}

}  // namespace baton::control
