#include "transfer_agent/control/grpc_wires.h"

#include <grpcpp/grpcpp.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "baton/v1/peer.grpc.pb.h"
#include "client/rpc/grpc_listener.h"
#include "client/rpc/status.h"
#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/control/gate.h"
#include "transfer_agent/control/grpc_client_wire.h"
#include "transfer_agent/control/grpc_server_wire.h"

namespace baton::control {
namespace {

// Cancelled calls end within milliseconds; this only bounds a defect.
constexpr auto kShutdownMax = std::chrono::seconds(30);
constexpr int kConnectTimeoutMs = 1000;

constexpr size_t kWhyMax = 1024;

using Service = v1::AgentPeer::WithRawCallbackMethod_Control<
    v1::AgentPeer::WithCallbackMethod_AbortLeg<v1::AgentPeer::Service>>;

class PeerService : public Service {
 public:
  PeerService(Wires::Accept accept, OnAbortLeg abort_leg, std::shared_ptr<Gate> gate)
      : accept_(std::move(accept)), abort_leg_(std::move(abort_leg)), gate_(std::move(gate)) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Control(
      grpc::CallbackServerContext* context) override {
    // The server has no calls any more when the gate is closed.
    CHECK(gate_->Enter());
    auto wire = std::make_shared<GrpcServerWire>(context, gate_);
    wire->Start(accept_);
    return wire.get();
  }

  grpc::ServerUnaryReactor* AbortLeg(grpc::CallbackServerContext* context,
                                     const v1::AbortLegRequest* request,
                                     v1::AbortLegResponse*) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    absl::Status status;
    if (!request->has_room()) {
      status = Error(Reason::kBadMessage, "room: AbortLeg names one");
    } else if (abort_leg_) {
      const std::string why = request->why().empty() ? "a router gave it up" : request->why();
      abort_leg_({request->room().id(), request->room().nonce()}, why.substr(0, kWhyMax));
    }
    reactor->Finish(ToGrpc(status));
    return reactor;
  }

 private:
  const Wires::Accept accept_;
  const OnAbortLeg abort_leg_;
  const std::shared_ptr<Gate> gate_;
};

class GrpcWires : public Wires {
 public:
  GrpcWires(size_t frame_bytes_max, OnAbortLeg abort_leg, grpc::Service* beside)
      : message_bytes_max_(static_cast<int>(frame_bytes_max + kNumberBytesMax)),
        abort_leg_(std::move(abort_leg)),
        beside_(beside),
        gate_(std::make_shared<Gate>()) {}
  ~GrpcWires() override { Shutdown(); }

  absl::StatusOr<std::string> Listen(const std::string& address, Accept accept) override;
  std::shared_ptr<Wire> Dial(const std::string& address,
                             std::shared_ptr<WireEvents> events) override;
  absl::Status Listening(bool* stuck) const override {
    *stuck = listener_ != nullptr && !listener_->live();
    return listener_ == nullptr ? absl::OkStatus() : listener_->health();
  }
  void Shutdown() override;

 private:
  grpc::ChannelArguments ClientArguments() const;

  const int message_bytes_max_;
  const OnAbortLeg abort_leg_;
  grpc::Service* const beside_;
  const std::shared_ptr<Gate> gate_;
  std::unique_ptr<PeerService> service_;
  // Hands its connections to the server, and is destroyed after it.
  std::unique_ptr<GrpcListener> listener_;
  std::unique_ptr<grpc::Server> server_;
};

absl::StatusOr<std::string> GrpcWires::Listen(const std::string& address, Accept accept) {
  service_ = std::make_unique<PeerService>(std::move(accept), abort_leg_, gate_);
  auto listener = GrpcListener::Bind("control", address);
  if (!listener.ok()) {
    return Error(Reason::kConfig, absl::StrCat("cannot listen on --listen=", address, ": ",
                                               listener.status().message()));
  }
  listener_ = *std::move(listener);
  grpc::ServerBuilder builder;
  listener_->Join(&builder);
  builder.RegisterService(service_.get());
  if (beside_ != nullptr) builder.RegisterService(beside_);
  builder.SetMaxReceiveMessageSize(message_bytes_max_);
  // A connection carries one stream.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 2);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return Error(Reason::kSystem, "gRPC does not start");
  listener_->Start();
  return listener_->address();
}

grpc::ChannelArguments GrpcWires::ClientArguments() const {
  grpc::ChannelArguments arguments;
  // A connection for each stream, also where two channels have the same address.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(message_bytes_max_);
  // One attempt to connect; its successor is a new channel.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return arguments;
}

std::shared_ptr<Wire> GrpcWires::Dial(const std::string& address,
                                      std::shared_ptr<WireEvents> events) {
  CHECK(gate_->Enter());
  auto channel =
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), ClientArguments());
  auto wire = std::make_shared<GrpcClientWire>(std::move(channel), std::move(events), gate_);
  wire->Start();
  return wire;
}

void GrpcWires::Shutdown() {
  if (listener_ != nullptr) listener_->Stop();
  // Cancels what the deadline finds open; the server without one would wait for idle clients.
  if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  gate_->Close();
  CHECK(gate_->WaitUntilEmpty(Monotonic::now() + kShutdownMax))
      << "a control stream did not end though it was cancelled";
  server_ = nullptr;
}

}  // namespace

std::unique_ptr<Wires> MakeGrpcWires(size_t frame_bytes_max, OnAbortLeg abort_leg,
                                     grpc::Service* beside) {
  return std::make_unique<GrpcWires>(frame_bytes_max, std::move(abort_leg), beside);
}

}  // namespace baton::control
