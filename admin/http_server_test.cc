#include "admin/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "admin/http_get.h"
#include "common/reason.h"

namespace baton::admin {
namespace {

using ::testing::HasSubstr;

class Http : public ::testing::Test {
 protected:
  Http() {
    HttpRoutes routes;
    routes["/"] = [](absl::string_view query) {
      return HttpAnswer{200, kHtml, "<p>" + std::string(query)};
    };
    routes["/sad"] = [](absl::string_view) { return HttpAnswer{503, kPlainText, "no\n"}; };
    auto server = HttpServer::Start("127.0.0.1:0", std::move(routes));
    EXPECT_TRUE(server.ok()) << server.status();
    if (server.ok()) server_ = *std::move(server);
  }
  void SetUp() override { ASSERT_NE(server_, nullptr); }

  std::unique_ptr<HttpServer> server_;
};

TEST_F(Http, AnswersAPathWithItsHandlersStatusTypeAndBody) {
  HttpReply reply = HttpGet(server_->address(), "/?a=b");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "<p>a=b");
  EXPECT_THAT(reply.head, HasSubstr("Content-Type: text/html; charset=utf-8\r\n"));
  EXPECT_EQ(HttpGet(server_->address(), "/sad").status, 503);
}

TEST_F(Http, LetsNoPageLoadOrRunAnything) {
  EXPECT_THAT(HttpGet(server_->address(), "/").head,
              HasSubstr("Content-Security-Policy: default-src 'none'"));
}

TEST_F(Http, AnswersHeadWithoutABody) {
  HttpReply reply = HttpGet(server_->address(), "/?abc", "HEAD");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "");
  EXPECT_THAT(reply.head, HasSubstr("Content-Length: 6\r\n"));
}

TEST_F(Http, RefusesWhatIsNeitherGetNorHead) {
  for (absl::string_view method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    HttpReply reply = HttpGet(server_->address(), "/", method);
    EXPECT_EQ(reply.status, 405) << method;
    EXPECT_THAT(reply.head, HasSubstr("Allow: GET, HEAD"));
  }
}

TEST_F(Http, AnUnknownPathNamesThoseThatAreKnownAndNoFileIsServed) {
  for (absl::string_view path : {"/nowhere", "/../../etc/passwd", "/%2e%2e/etc/passwd", "/sad/"}) {
    HttpReply reply = HttpGet(server_->address(), path);
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_THAT(reply.body, HasSubstr("\n/\n/sad\n")) << path;
  }
}

TEST_F(Http, AnswersOnAfterNonsense) {
  const std::string long_line = "GET /" + std::string(20000, 'a') + " HTTP/1.1\r\n\r\n";
  EXPECT_NE(SendHttp(server_->address(), long_line).status, 200);
  EXPECT_NE(SendHttp(server_->address(), "\r\n\r\n\r\n").status, 200);
  EXPECT_NE(SendHttp(server_->address(), std::string("\0\x01\xff\r\n\r\n", 7)).status, 200);
  EXPECT_EQ(HttpGet(server_->address(), "/").status, 200);
}

TEST_F(Http, AnswersManyAtOnce) {
  std::vector<int> statuses(16);
  std::vector<std::thread> clients;
  clients.reserve(statuses.size());
  for (int& status : statuses) {
    clients.emplace_back([&] { status = HttpGet(server_->address(), "/").status; });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_THAT(statuses, ::testing::Each(200));
}

TEST_F(Http, APortInUseIsNamedWithTheFlag) {
  auto second = HttpServer::Start(server_->address(), {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(ReasonOf(second.status()), Reason::kConfig);
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr("--admin_listen=" + server_->address()));
}

// civetweb by itself takes 2 s for each: a hundred would outlast the time that this test has.
TEST(HttpStop, DoesNotWaitForTheNextConnection) {
  for (const char* listen : {"127.0.0.1:0", "0.0.0.0:0", "localhost:0"}) {
    for (int i = 0; i < 33; ++i) {
      auto server = HttpServer::Start(listen, {});
      ASSERT_TRUE(server.ok()) << server.status();
    }
  }
}

}  // namespace
}  // namespace baton::admin
