#include "bootstrap_service/integration/fixture.h"

#include <grpcpp/impl/client_unary_call.h>

#include <utility>

#include "client/rpc/channel.h"
#include "planner/layout_proto.h"

namespace baton::registry {

planner::ServerSpec SmallSpec(uint32_t pp, uint32_t tp) {
  planner::ServerSpec spec;
  spec.sizes = {1, pp, 1, tp};
  planner::TensorSpec k;
  for (uint32_t stage = 0; stage < pp; ++stage) {
    spec.stages.push_back({2 * stage, 2 * stage + 1});
    k.layers.insert(k.layers.end(), {2 * stage, 2 * stage + 1});
  }
  spec.page_groups = {{16}};
  k.kind = planner::Kind::kK;
  k.dtype = "bf16";
  k.heads = 8;
  k.head_bytes = 256;
  k.tp_sharded = true;
  spec.tensors = {k};
  return spec;
}

v1::ServerSpec SmallSpecProto(uint32_t pp, uint32_t tp) {
  return planner::ToProto(SmallSpec(pp, tp));
}

void Heard::OnRegistered(const RankRef& rank, Incarnation incarnation) {
  MutexLock lock(&mu_);
  registered_[rank] = incarnation;
  ++registrations_;
}
void Heard::OnRegistrationFailing(const RankRef& rank, const absl::Status& cause, bool) {
  MutexLock lock(&mu_);
  failures_[rank] = cause;
}
void Heard::OnLeaseLost(const RankRef& rank) {
  MutexLock lock(&mu_);
  registered_.erase(rank);
  ++lost_;
}
size_t Heard::registered() const {
  MutexLock lock(&mu_);
  return registered_.size();
}
uint64_t Heard::registrations() const {
  MutexLock lock(&mu_);
  return registrations_;
}
uint64_t Heard::lost() const {
  MutexLock lock(&mu_);
  return lost_;
}
Incarnation Heard::incarnation(const RankRef& rank) const {
  MutexLock lock(&mu_);
  auto it = registered_.find(rank);
  return it == registered_.end() ? Incarnation() : it->second;
}
absl::Status Heard::failure(const RankRef& rank) const {
  MutexLock lock(&mu_);
  auto it = failures_.find(rank);
  return it == failures_.end() ? absl::OkStatus() : it->second;
}

BootstrapTest::BootstrapTest() {
  options_.listen = "127.0.0.1:0";
  options_.settle = "none";
  options_.drain_ms = 200;
}

void BootstrapTest::StartService() {
  auto service = BootstrapServer::Start(options_);
  ASSERT_TRUE(service.ok()) << service.status();
  service_ = *std::move(service);
  address_ = service_->address();
  options_.listen = address_;
}

std::unique_ptr<Registrar> BootstrapTest::NewRegistrar(uint64_t epoch, Heard* heard) {
  RegistrarOptions options;
  options.bootstrap_address = address_;
  options.agent_address = "10.0.0.1:" + std::to_string(7000 + epoch % 1000);
  options.epoch = Epoch(epoch);
  return MakeRegistrar(options, heard);
}

std::unique_ptr<Directory> BootstrapTest::NewDirectory() {
  DirectoryOptions options;
  options.bootstrap_address = address_;
  return MakeDirectory(options, nullptr);
}

std::unique_ptr<v1::Bootstrap::Stub> BootstrapTest::NewStub() {
  return v1::Bootstrap::NewStub(MakeChannel(address_));
}

void BootstrapTest::AddServer(Registrar* registrar, const std::string& name,
                              const std::string& launch, uint32_t pp, uint32_t tp, Role role) {
  for (uint32_t p = 0; p < pp; ++p) {
    for (uint32_t t = 0; t < tp; ++t) {
      registrar->Add({{name, {0, p, 0, t}}, role, launch, "model", SmallSpec(pp, tp), {}});
    }
  }
}

std::unique_ptr<grpc::ClientContext> Within(int seconds) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(DeadlineIn(std::chrono::seconds(seconds)));
  return context;
}

grpc::Status RawCall(const std::string& address, const std::string& method,
                     const std::string& bytes, std::string* answer) {
  auto channel = MakeChannel(address);
  grpc::internal::RpcMethod call(method.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
  grpc::Slice slice(bytes);
  grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  auto context = Within(10);
  grpc::Status status =
      grpc::internal::BlockingUnaryCall(channel.get(), call, context.get(), request, &response);
  grpc::Slice whole;
  if (status.ok() && response.DumpToSingleSlice(&whole).ok()) {
    answer->assign(reinterpret_cast<const char*>(whole.begin()), whole.size());
  }
  return status;
}

}  // namespace baton::registry
