#include "client/bootstrap/watch_stream.h"

#include <utility>

#include "client/rpc/status.h"

namespace baton {

std::shared_ptr<WatchStream> WatchStream::Open(v1::Bootstrap::Stub* stub, InFlight* in_flight,
                                               const v1::WatchRequest& request,
                                               Callbacks callbacks) {
  std::shared_ptr<WatchStream> stream(new WatchStream(in_flight, std::move(callbacks)));
  stream->self_ = stream;
  stream->request_ = request;
  stub->async()->Watch(&stream->context_, &stream->request_, stream.get());
  // Reads are started from outside of the reactor's callbacks: the hold keeps the call open.
  stream->AddHold();
  stream->StartRead(&stream->message_);
  stream->StartCall();
  return stream;
}

void WatchStream::Next() {
  MutexLock lock(&mu_);
  if (held_) StartRead(&message_);
}

void WatchStream::Cancel() {
  context_.TryCancel();
  ReleaseHold();
}

void WatchStream::ReleaseHold() {
  {
    MutexLock lock(&mu_);
    if (!held_) return;
    held_ = false;
  }
  RemoveHold();
}

void WatchStream::OnReadDone(bool ok) {
  if (!ok) return ReleaseHold();
  callbacks_.message(std::move(message_));
}

void WatchStream::OnDone(const grpc::Status& status) {
  callbacks_.ended(FromGrpc(status, "Watch"));
  self_.reset();
}

}  // namespace baton
