// Services over gRPC.
#ifndef BATON_CLIENT_CTL_GRPC_SERVICES_H_
#define BATON_CLIENT_CTL_GRPC_SERVICES_H_

#include <memory>

#include "client/ctl/options.h"
#include "client/ctl/services.h"

namespace baton::ctl {

// Connects when first used. A service that cannot be reached is an error that names the flag.
std::unique_ptr<Services> MakeGrpcServices(const Options& options);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_GRPC_SERVICES_H_
