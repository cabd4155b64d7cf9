#include "bootstrap_service/app/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bootstrap_service/app/server_metrics.h"
#include "bootstrap_service/page/status_page.h"
#include "bootstrap_service/rpc/service.h"
#include "bootstrap_service/store/memory_store.h"
#include "bootstrap_service/watch/hub.h"
#include "client/rpc/grpc_listener.h"
#include "common/log.h"
#include "common/mutex.h"
#include "common/reason.h"

namespace baton::registry {
namespace {

constexpr char kServiceName[] = "baton.v1.Bootstrap";
// What half-sent requests may take, beside what is registered.
constexpr size_t kGrpcBytesMax = 64 << 20;
// An agent has two, and 64 registrations under way at its start.
constexpr int kStreamsOfConnection = 256;
// Many periods of the sweeper.
constexpr auto kStalled = std::chrono::seconds(10);

// Never 0, which is "no revision".
uint64_t DrawStoreEpoch() {
  std::random_device random;
  return (uint64_t{random()} << 32 | random()) | 1;
}

HubOptions HubOptionsOf(const BootstrapOptions& options) {
  HubOptions hub;
  hub.watchers = options.max_watchers;
  return hub;
}

ServiceOptions ServiceOptionsOf(const BootstrapOptions& options) {
  ServiceOptions service;
  service.keep_alive_silence = std::chrono::milliseconds(3 * uint64_t{options.lease_ms});
  service.watch_queue_bytes = options.max_watch_queue_bytes;
  return service;
}

class ServerImpl : public BootstrapServer {
 public:
  explicit ServerImpl(const BootstrapOptions& options)
      : options_(options),
        store_(LimitsOf(options), DrawStoreEpoch()),
        hub_(&store_, HubOptionsOf(options)),
        service_(&store_, &hub_, ServiceOptionsOf(options)) {}

  ~ServerImpl() override { Stop(); }

  absl::Status Serve() {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    auto listener = GrpcListener::Bind("registry", options_.listen);
    if (!listener.ok()) {
      return Error(Reason::kConfig,
                   absl::StrCat("--listen=", options_.listen,
                                ": the address cannot be served: ", listener.status().message()));
    }
    listener_ = *std::move(listener);
    grpc::ServerBuilder builder;
    listener_->Join(&builder);
    // Connections whose peer has vanished end within 15 s.
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 10000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.SetMaxReceiveMessageSize(options_.max_message_bytes);
    // Requests that are half sent are held by gRPC, out of our sight.
    builder.SetResourceQuota(grpc::ResourceQuota("registry").Resize(kGrpcBytesMax));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsOfConnection);
    builder.SetMaxSendMessageSize(-1);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return Error(Reason::kSystem, "gRPC does not start");
    listener_->Start();
    address_ = listener_->address();
    server_->GetHealthCheckService()->SetServingStatus(kServiceName, true);
    swept_ = Monotonic::now().time_since_epoch().count();
    sweeper_ = std::thread([this] { SweepUntilStopped(); });
    return absl::OkStatus();
  }

  std::string address() const override { return address_; }

  admin::Health Health() const override {
    admin::Health health;
    health.started = true;
    health.live = Monotonic::now() - TimePoint(Duration(swept_.load())) < kStalled;
    health.ready = health.live && !draining_;
    if (!health.live) health.why = "the sweeper has not turned for 10 s";
    if (const absl::Status listening = listener_->health(); !listening.ok()) {
      health.live = health.live && listener_->live();
      health.ready = false;
      health.why = std::string(listening.message());
    }
    if (draining_) health.why = "the service is stopping";
    return health;
  }

  std::string Page(const std::string& only) override {
    PageInput input;
    input.address = address_;
    input.health = Health();
    input.settled = store_.Stats().settled;
    input.watchers = hub_.watchers();
    input.only = only;
    for (const ServerImagePtr& image : store_.List({}).servers) {
      input.servers.emplace_back().ParseFromString(image->record);
    }
    return StatusPage(input);
  }

  std::string Metrics() override {
    return BootstrapMetrics(store_.Stats(), hub_, service_.metrics(), Health().ready);
  }

  void BeginDrain() override { draining_ = true; }

  void Stop() override {
    if (server_ == nullptr) return;
    BeginDrain();
    server_->GetHealthCheckService()->SetServingStatus(false);
    hub_.Stop("the service is stopping");
    service_.EndStreams();
    {
      MutexLock lock(&mu_);
      stopped_ = true;
      stop_changed_.NotifyAll();
    }
    sweeper_.join();
    listener_->Stop();
    server_->Shutdown(std::chrono::system_clock::now() +
                      std::chrono::milliseconds(options_.drain_ms));
    server_->Wait();
    server_ = nullptr;
  }

 private:
  void SweepUntilStopped() {
    const Duration period = std::min<Duration>(std::chrono::milliseconds(options_.lease_ms / 3),
                                               std::chrono::seconds(1));
    MutexLock lock(&mu_);
    while (!stopped_) {
      stop_changed_.WaitUntil(&mu_, Monotonic::now() + period);
      const TimePoint now = Monotonic::now();
      service_.Sweep(now);
      swept_ = now.time_since_epoch().count();
    }
  }

  const BootstrapOptions options_;
  MemoryStore store_;
  WatchHub hub_;
  BootstrapService service_;
  // Hands its connections to the server, and is destroyed after it.
  std::unique_ptr<GrpcListener> listener_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::atomic<bool> draining_{false};
  std::atomic<Duration::rep> swept_{0};
  Mutex mu_;
  CondVar stop_changed_;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
  std::thread sweeper_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BootstrapServer>> BootstrapServer::Start(
    const BootstrapOptions& options) {
  auto server = std::make_unique<ServerImpl>(options);
  if (absl::Status status = server->Serve(); !status.ok()) return status;
  return std::unique_ptr<BootstrapServer>(std::move(server));
}

}  // namespace baton::registry
