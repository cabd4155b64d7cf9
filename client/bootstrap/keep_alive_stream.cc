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
  stream->StartRead(&stream->response_);
  stream->StartCall();
  return stream;
}

void KeepAliveStream::Send(const v1::KeepAliveRequest& request) {
  MutexLock lock(&mu_);
  if (!held_) return;
  unsent_.push_back(request);
  if (unsent_.size() == 1) StartWrite(&unsent_.front());
}

void KeepAliveStream::OnWriteDone(bool ok) {
  if (!ok) return ReleaseHold();
  MutexLock lock(&mu_);
  unsent_.pop_front();
  if (held_ && !unsent_.empty()) StartWrite(&unsent_.front());
}

void KeepAliveStream::OnReadDone(bool ok) {
  if (!ok) return ReleaseHold();
  callbacks_.answered(response_);
  MutexLock lock(&mu_);
  if (held_) StartRead(&response_);
}

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
