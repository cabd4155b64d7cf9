// The watch over the wire: snapshot, resume, COMPACTED, a watcher that does not read; and what
// stands beside it: health, reflection, lists.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <utility>

#include "bootstrap_service/integration/fixture.h"
#include "client/rpc/status.h"

namespace baton::registry {
namespace {

using ::testing::HasSubstr;

class WatchOverTheWire : public BootstrapTest {
 protected:
  void Issue(v1::Bootstrap::Stub* stub, const std::string& name, const std::string& launch,
             const v1::ServerSpec& spec = SmallSpecProto(1, 2)) {
    v1::RegisterServerRequest request;
    request.set_name(name);
    request.set_launch_id(launch);
    request.set_role(v1::ROLE_PREFILL);
    *request.mutable_spec() = spec;
    v1::RegisterServerResponse response;
    ASSERT_TRUE(stub->RegisterServer(Within(10).get(), request, &response).ok());
  }
  // Reads up to an event of this kind; its message.
  static v1::WatchResponse ReadUntil(grpc::ClientReader<v1::WatchResponse>* reader,
                                     v1::WatchEvent::EventCase kind) {
    v1::WatchResponse message;
    while (reader->Read(&message)) {
      for (const v1::WatchEvent& event : message.events()) {
        if (event.event_case() == kind) return message;
      }
    }
    ADD_FAILURE() << "the watch ended: " << reader->Finish().error_message();
    return {};
  }
};

TEST_F(WatchOverTheWire, ResumesWhereItLeftOff) {
  StartService();
  auto stub = NewStub();
  Issue(stub.get(), "a", "1");
  auto first_context = Within(60);
  auto first = stub->Watch(first_context.get(), {});
  auto snapshot = ReadUntil(first.get(), v1::WatchEvent::kSnapshotDone);
  EXPECT_EQ(snapshot.events(0).server().name(), "a");
  first_context->TryCancel();
  Issue(stub.get(), "b", "1");
  v1::WatchRequest resume;
  *resume.mutable_resume_after() = snapshot.revision();
  auto context = Within(60);
  auto again = stub->Watch(context.get(), resume);
  v1::WatchResponse message;
  ASSERT_TRUE(again->Read(&message));
  ASSERT_EQ(message.events_size(), 1);
  EXPECT_EQ(message.events(0).server().name(), "b");
  EXPECT_GT(message.revision().number(), snapshot.revision().number());
  context->TryCancel();
}

TEST_F(WatchOverTheWire, ARevisionOfAnotherLifeIsCompacted) {
  StartService();
  auto stub = NewStub();
  v1::WatchRequest resume;
  resume.mutable_resume_after()->set_store_epoch(2);
  resume.mutable_resume_after()->set_number(3);
  auto context = Within(60);
  auto watch = stub->Watch(context.get(), resume);
  v1::WatchResponse message;
  ASSERT_TRUE(watch->Read(&message));
  EXPECT_TRUE(message.events(0).compacted());
  EXPECT_FALSE(watch->Read(&message));
  EXPECT_TRUE(watch->Finish().ok());
}

TEST_F(WatchOverTheWire, AWatcherThatDoesNotReadIsDroppedWithAReason) {
  options_.max_watch_queue_bytes = 64 << 10;
  StartService();
  auto stub = NewStub();
  auto directory = NewDirectory();
  ASSERT_TRUE(Eventually([&] { return directory->synced(); }));
  auto context = Within(40);
  auto stuck = stub->Watch(context.get(), {});
  ReadUntil(stuck.get(), v1::WatchEvent::kSnapshotDone);
  // What the sockets and gRPC hold for a reader that is late is several MiB: large messages.
  v1::ServerSpec spec = SmallSpecProto(1, 2);
  for (uint32_t layer = 2; layer < 4096; ++layer) spec.mutable_stages(0)->add_layers(layer);
  *spec.mutable_tensors(0)->mutable_layers() = spec.stages(0).layers();
  for (int i = 1; i < 25; ++i) {
    *spec.add_tensors() = spec.tensors(0);
    spec.mutable_tensors(i)->set_name(std::to_string(i));
  }
  ASSERT_GT(spec.ByteSizeLong(), 180u << 10);
  for (uint64_t launch = 0, seen = 0; launch < 120; ++launch) {
    Issue(stub.get(), "a", std::to_string(launch), spec);
    // Once a watcher that reads has it, the next change is a message of its own.
    ASSERT_TRUE(Eventually([&] {
      auto server = directory->Find("a");
      uint64_t before = std::exchange(seen, server == nullptr ? 0 : server->incarnation());
      return seen > before;
    }));
  }
  std::string reason;
  v1::WatchResponse message;
  while (stuck->Read(&message)) {
    for (const v1::WatchEvent& event : message.events()) {
      if (event.event_case() == v1::WatchEvent::kDropped) reason = event.dropped();
    }
  }
  absl::Status status = FromGrpc(stuck->Finish());
  EXPECT_THAT(reason, HasSubstr("did not keep up"));
  EXPECT_EQ(ReasonOf(status), Reason::kFull) << status;
}

TEST_F(WatchOverTheWire, AskedForSomeServersItSaysNothingOfOthers) {
  StartService();
  auto stub = NewStub();
  Issue(stub.get(), "a", "1");
  Issue(stub.get(), "b", "1");
  v1::WatchRequest request;
  request.add_servers("b");
  auto context = Within(60);
  auto watch = stub->Watch(context.get(), request);
  auto snapshot = ReadUntil(watch.get(), v1::WatchEvent::kSnapshotDone);
  EXPECT_EQ(snapshot.events(0).server().name(), "b");
  Issue(stub.get(), "a", "2");
  Issue(stub.get(), "b", "2");
  v1::WatchResponse message;
  ASSERT_TRUE(watch->Read(&message));
  EXPECT_EQ(message.events(0).server().name(), "b");
  context->TryCancel();
}

TEST_F(WatchOverTheWire, ADirectorySurvivesManyRestarts) {
  options_.lease_ms = 1000;
  StartService();
  auto directory = NewDirectory();
  Heard heard;
  auto registrar = NewRegistrar(1, &heard);
  AddServer(registrar.get(), "p", "launch", 1, 4);
  ASSERT_TRUE(Eventually([&] { return directory->Find("p") != nullptr; }));
  for (int i = 0; i < 3; ++i) {
    uint64_t before = heard.registrations();
    StopService();
    StartService();
    ASSERT_TRUE(Eventually([&] { return heard.registrations() >= before + 4; }));
  }
  std::atomic<bool> found{false};
  directory->BindRoom("p", {1, 1}, 0, std::chrono::minutes(1));
  directory->LookupRoom("p", {1, 1}, std::chrono::seconds(30),
                        [&](absl::StatusOr<uint32_t> dp) { found = dp.ok(); });
  EXPECT_TRUE(Eventually([&] { return found.load(); }));
  EXPECT_TRUE(Eventually([&] {
    auto server = directory->Find("p");
    return server != nullptr && server->ranks_size() == 4;
  }));
}

TEST_F(WatchOverTheWire, ListsAreWholeAndSorted) {
  StartService();
  auto stub = NewStub();
  for (const char* name : {"c", "a", "b"}) Issue(stub.get(), name, "1");
  v1::ListServersResponse list;
  ASSERT_TRUE(stub->ListServers(Within(10).get(), {}, &list).ok());
  ASSERT_EQ(list.servers_size(), 3);
  EXPECT_EQ(list.servers(0).name(), "a");
  EXPECT_EQ(list.servers(2).name(), "c");
  EXPECT_EQ(list.servers(1).missing_count(), 2u);
  EXPECT_GT(list.revision().number(), 0u);
  v1::ListServersRequest decode;
  decode.set_role(v1::ROLE_DECODE);
  ASSERT_TRUE(stub->ListServers(Within(10).get(), decode, &list).ok());
  EXPECT_EQ(list.servers_size(), 0);
}

TEST_F(WatchOverTheWire, ListsComeByPages) {
  StartService();
  auto stub = NewStub();
  for (const char* name : {"c", "a", "b"}) Issue(stub.get(), name, "1");
  v1::ListServersRequest request;
  request.set_page_size(2);
  v1::ListServersResponse list;
  ASSERT_TRUE(stub->ListServers(Within(10).get(), request, &list).ok());
  ASSERT_EQ(list.servers_size(), 2);
  EXPECT_EQ(list.next_page_token(), "b");
  request.set_page_token(list.next_page_token());
  ASSERT_TRUE(stub->ListServers(Within(10).get(), request, &list).ok());
  ASSERT_EQ(list.servers_size(), 1);
  EXPECT_EQ(list.servers(0).name(), "c");
  EXPECT_EQ(list.next_page_token(), "");
}

TEST_F(WatchOverTheWire, HealthSaysThatTheServiceServes) {
  StartService();
  const std::string kServing = "\x08\x01";
  std::string answer;
  ASSERT_TRUE(RawCall(address(), "/grpc.health.v1.Health/Check", "", &answer).ok());
  EXPECT_EQ(answer, kServing);
  const std::string kOfOurs =
      "\x0a\x12"
      "baton.v1.Bootstrap";
  ASSERT_TRUE(RawCall(address(), "/grpc.health.v1.Health/Check", kOfOurs, &answer).ok());
  EXPECT_EQ(answer, kServing);
  const std::string kUnknown = "\x0a\x01x";
  EXPECT_EQ(RawCall(address(), "/grpc.health.v1.Health/Check", kUnknown, &answer).error_code(),
            grpc::NOT_FOUND);
}

TEST_F(WatchOverTheWire, ReflectionListsTheService) {
  StartService();
  auto channel = grpc::CreateChannel(address(), grpc::InsecureChannelCredentials());
  grpc::internal::RpcMethod call("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                                 grpc::internal::RpcMethod::BIDI_STREAMING, channel);
  auto context = Within(10);
  std::unique_ptr<grpc::ClientReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream(
      grpc::internal::ClientReaderWriterFactory<grpc::ByteBuffer, grpc::ByteBuffer>::Create(
          channel.get(), call, context.get()));
  const std::string kListServices = "\x3a\x01*";
  grpc::Slice slice(kListServices);
  ASSERT_TRUE(stream->Write(grpc::ByteBuffer(&slice, 1)));
  grpc::ByteBuffer answer;
  ASSERT_TRUE(stream->Read(&answer));
  grpc::Slice whole;
  ASSERT_TRUE(answer.DumpToSingleSlice(&whole).ok());
  EXPECT_THAT(std::string(reinterpret_cast<const char*>(whole.begin()), whole.size()),
              HasSubstr("baton.v1.Bootstrap"));
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace baton::registry
