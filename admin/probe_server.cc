#include "admin/probe_server.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/rpc/grpc_listener.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mutex.h"
#include "common/reason.h"

namespace baton::admin {
namespace {

constexpr auto kPeriod = std::chrono::milliseconds(200);
constexpr auto kGrace = std::chrono::milliseconds(100);

class HealthServer final : public ProbeServer {
 public:
  explicit HealthServer(HealthSource health) : health_(std::move(health)) {}

  ~HealthServer() override {
    {
      MutexLock lock(&mu_);
      stopped_ = true;
      stop_changed_.NotifyAll();
    }
    if (refresher_.joinable()) refresher_.join();
    if (server_ == nullptr) return;
    listener_->Stop();
    server_->GetHealthCheckService()->Shutdown();
    server_->Shutdown(std::chrono::system_clock::now() + kGrace);
    server_->Wait();
  }

  absl::Status Serve(const std::string& listen) {
    grpc::EnableDefaultHealthCheckService(true);
    auto listener = GrpcListener::Bind("probes", listen);
    if (!listener.ok()) {
      return Error(Reason::kConfig,
                   absl::StrCat("--probe_listen=", listen,
                                ": the address cannot be served: ", listener.status().message()));
    }
    listener_ = *std::move(listener);
    grpc::ServerBuilder builder;
    listener_->Join(&builder);
    builder.SetMaxReceiveMessageSize(4096);
    // A server of nothing but health is not built: this service refuses whatever else is called.
    builder.RegisterCallbackGenericService(&others_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return Error(Reason::kSystem, "gRPC does not start");
    listener_->Start();
    address_ = listener_->address();
    Refresh();
    refresher_ = std::thread([this] { RefreshUntilStopped(); });
    return absl::OkStatus();
  }

  std::string address() const override { return address_; }

  void Refresh() override {
    MutexLock lock(&refresh_mu_);
    const Health health = health_();
    grpc::HealthCheckServiceInterface* service = server_->GetHealthCheckService();
    service->SetServingStatus("", health.ready);
    service->SetServingStatus("readiness", health.ready);
    service->SetServingStatus("startup", health.started);
    service->SetServingStatus("liveness", health.live);
    if (told_ && health.ready == was_ready_) return;
    told_ = true;
    was_ready_ = health.ready;
    LOG(INFO) << "health: " << (health.ready ? "ready" : absl::StrCat("not ready: ", health.why));
  }

 private:
  void RefreshUntilStopped() {
    MutexLock lock(&mu_);
    while (!stopped_) {
      stop_changed_.WaitUntil(&mu_, Monotonic::now() + kPeriod);
      if (!stopped_) Refresh();
    }
  }

  const HealthSource health_;
  grpc::CallbackGenericService others_;
  // Hands its connections to the server, and is destroyed after it.
  std::unique_ptr<GrpcListener> listener_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  // Held over the whole of a refresh, so that an older answer never replaces a newer one.
  Mutex refresh_mu_;
  bool told_ ABSL_GUARDED_BY(refresh_mu_) = false;
  bool was_ready_ ABSL_GUARDED_BY(refresh_mu_) = false;
  Mutex mu_;
  CondVar stop_changed_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::thread refresher_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ProbeServer>> ProbeServer::Start(const std::string& listen,
                                                                HealthSource health) {
  auto server = std::make_unique<HealthServer>(std::move(health));
  if (absl::Status status = server->Serve(listen); !status.ok()) return status;
  return std::unique_ptr<ProbeServer>(std::move(server));
}

}  // namespace baton::admin
