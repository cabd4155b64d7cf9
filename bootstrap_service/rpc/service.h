// The gRPC skin of the bootstrap service: each rpc stands in a file of its own, checks what gRPC
// alone knows (the deadline), and hands the request to the store or the hub.
//
// Thread-safe. No handler blocks: gRPC's threads are few and also carry the keep-alives.
#ifndef BATON_BOOTSTRAP_SERVICE_RPC_SERVICE_H_
#define BATON_BOOTSTRAP_SERVICE_RPC_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include "baton/v1/bootstrap.grpc.pb.h"
#include "bootstrap_service/rpc/rpc_metrics.h"
#include "bootstrap_service/rpc/streams.h"
#include "bootstrap_service/store/store.h"
#include "bootstrap_service/watch/hub.h"

namespace baton::registry {

struct ServiceOptions {
  // A KeepAlive stream that is silent for so long is ended.
  Duration keep_alive_silence = std::chrono::seconds(9);
  // A watch is ended, to be resumed, after this: no stream lives for ever.
  Duration watch_life = std::chrono::hours(1);
  // What may wait for a watcher that does not read, beyond its snapshot.
  size_t watch_queue_bytes = 8 << 20;
  uint32_t keep_alive_streams = 65536;
};

// Those whose answers are serialized already are raw.
namespace service_base {
using Bootstrap = v1::Bootstrap;
using Raw = Bootstrap::WithRawCallbackMethod_GetServer<Bootstrap::WithRawCallbackMethod_ListServers<
    Bootstrap::WithRawCallbackMethod_Watch<Bootstrap::Service>>>;
using Registration =
    Bootstrap::WithCallbackMethod_RegisterServer<Bootstrap::WithCallbackMethod_RegisterRank<
        Bootstrap::WithCallbackMethod_KeepAlive<Bootstrap::WithCallbackMethod_Deregister<Raw>>>>;
using All = Bootstrap::WithCallbackMethod_Drain<Bootstrap::WithCallbackMethod_ResolveRoute<
    Bootstrap::WithCallbackMethod_BindRoom<Bootstrap::WithCallbackMethod_LookupRoom<
        Bootstrap::WithCallbackMethod_FollowRooms<Registration>>>>>;
}  // namespace service_base

class BootstrapService : public service_base::All {
 public:
  // Both are borrowed and outlive the gRPC server that this is registered with.
  BootstrapService(Store* store, WatchHub* hub, const ServiceOptions& options)
      : store_(store), hub_(hub), options_(options) {}

  grpc::ServerUnaryReactor* RegisterServer(grpc::CallbackServerContext* context,
                                           const v1::RegisterServerRequest* request,
                                           v1::RegisterServerResponse* response) override;
  grpc::ServerUnaryReactor* RegisterRank(grpc::CallbackServerContext* context,
                                         const v1::RegisterRankRequest* request,
                                         v1::RegisterRankResponse* response) override;
  grpc::ServerBidiReactor<v1::KeepAliveRequest, v1::KeepAliveResponse>* KeepAlive(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* Deregister(grpc::CallbackServerContext* context,
                                       const v1::DeregisterRequest* request,
                                       v1::DeregisterResponse* response) override;
  grpc::ServerUnaryReactor* Drain(grpc::CallbackServerContext* context,
                                  const v1::DrainRequest* request,
                                  v1::DrainResponse* response) override;
  grpc::ServerUnaryReactor* GetServer(grpc::CallbackServerContext* context,
                                      const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListServers(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ResolveRoute(grpc::CallbackServerContext* context,
                                         const v1::ResolveRouteRequest* request,
                                         v1::ResolveRouteResponse* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Watch(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* BindRoom(grpc::CallbackServerContext* context,
                                     const v1::BindRoomRequest* request,
                                     v1::BindRoomResponse* response) override;
  grpc::ServerUnaryReactor* LookupRoom(grpc::CallbackServerContext* context,
                                       const v1::LookupRoomRequest* request,
                                       v1::LookupRoomResponse* response) override;

  grpc::ServerBidiReactor<v1::FollowRoomsRequest, v1::FollowRoomsResponse>* FollowRooms(
      grpc::CallbackServerContext* context) override;

  // Ends streams that are silent or too old. To be called several times a lease time.
  void Sweep(TimePoint now) { streams_.Sweep(now); }
  // Ends all streams; new ones are refused.
  void EndStreams() { streams_.Stop(); }
  const RpcMetrics& metrics() const { return metrics_; }

 private:
  Store* const store_;
  WatchHub* const hub_;
  const ServiceOptions options_;
  StreamSet streams_;
  RpcMetrics metrics_;
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_RPC_SERVICE_H_
