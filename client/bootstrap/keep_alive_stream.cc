#include "client/bootstrap/keep_alive_stream.h"

#include <utility>

#include "client/rpc/status.h"

namespace baton {

std::shared_ptr<KeepAliveStream> KeepAliveStream::Open(v1::Bootstrap::Stub* stub,
                                                       InFlight* in_flight, Callbacks callbacks) {
  std::shared_ptr<KeepAliveStream> stream(new KeepAliveStream(in_flight, std::move(callbacks)));
  stream->self_ = stream;
  stub->async()->KeepAlive(&stream->context_, stream.get());
  // Operations come from outside of the reactor's own callbacks: the hold keeps the call open.
  stream->AddHold();
  stream->StartCall();
  return stream;
}

void KeepAliveStream::Send(const v1::KeepAliveRequest& request) {
  MutexLock lock(&mu_);
  if (!held_ || steps_left_ > 0) return;
  request_ = request;
  steps_left_ = 2;
  StartWrite(&request_);
  StartRead(&response_);
}

// The read's answer may be told before the write's: both must be over before the next request.
void KeepAliveStream::StepDone(bool ok) {
  bool answered;
  {
    MutexLock lock(&mu_);
    failed_ = failed_ || !ok;
    answered = --steps_left_ == 0 && !failed_;
  }
  if (answered) {
    callbacks_.answered(response_);
  } else if (!ok) {
    ReleaseHold();
  }
}

void KeepAliveStream::OnReadDone(bool ok) { StepDone(ok); }
void KeepAliveStream::OnWriteDone(bool ok) { StepDone(ok); }

void KeepAliveStream::ReleaseHold() {
  {
    MutexLock lock(&mu_);
    if (!held_) return;
    held_ = false;
  }
  RemoveHold();
}

void KeepAliveStream::Cancel() {
  context_.TryCancel();
  ReleaseHold();
}

void KeepAliveStream::OnDone(const grpc::Status& status) {
  callbacks_.ended(FromGrpc(status, "KeepAlive"));
  self_.reset();
}

}  // namespace baton
