#include "gtest/gtest.h"
#include "transfer_agent/transport/conformance/factory.h"
#include "transfer_agent/transport/tcp/factory.h"

namespace baton::transport {
namespace {

INSTANTIATE_TEST_SUITE_P(
    Tcp, TransportConformance,
    testing::Values(Candidate{
        .name = "tcp",
        .create = [](bool checksums) { return CreateTcpTransport({.checksums = checksums}); },
        .copies = 0}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace baton::transport
