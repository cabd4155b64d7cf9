// What Prometheus is told of the service.
#ifndef BATON_BOOTSTRAP_SERVICE_APP_SERVER_METRICS_H_
#define BATON_BOOTSTRAP_SERVICE_APP_SERVER_METRICS_H_

#include <string>

#include "bootstrap_service/rpc/rpc_metrics.h"
#include "bootstrap_service/store/stats.h"
#include "bootstrap_service/watch/hub.h"

namespace baton::registry {

std::string BootstrapMetrics(const StoreStats& stats, const WatchHub& hub, const RpcMetrics& rpcs,
                             bool ready);

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_APP_SERVER_METRICS_H_
