// A router in little: reads a model's name from each line of standard input, and answers with where
// the request goes: "ID NONCE PREFILL DP DECODE DP", or "error WHY". A real one would receive
// requests, and send both legs to the engines that the servers' labels name.
//
//   echo llama-3-8b | router_example --bootstrap=10.0.0.5:7411
#include <csignal>
#include <iostream>
#include <string>

#include "client/router/router_client.h"
#include "common/config/config.h"
#include "common/log.h"

namespace baton::examples {
namespace {

// [route]
// What both legs carry beside the prompt.
std::string RouteLine(RouterClient* client, const std::string& model) {
  PickRequest request;
  request.model = model;
  request.policy = Policy::kPowerOfTwo;
  absl::StatusOr<Route> route = client->PickWithin(request, std::chrono::seconds(5));
  if (!route.ok()) return "error " + std::string(route.status().message());
  return std::to_string(route->room.id) + " " + std::to_string(route->room.nonce) + " " +
         route->prefill.server->name() + " " + std::to_string(route->prefill.dp) + " " +
         route->decode.server->name() + " " + std::to_string(route->decode.dp);
}

void Serve(const std::string& bootstrap) {
  RouterOptions options;
  options.bootstrap_address = bootstrap;
  std::unique_ptr<RouterClient> client = MakeRouterClient(options);
  std::string model;
  while (std::getline(std::cin, model)) std::cout << RouteLine(client.get(), model) << std::endl;
}
// [route]

}  // namespace
}  // namespace baton::examples

int main(int argc, char** argv) {
  std::string bootstrap = "127.0.0.1:7411";
  baton::ConfigTable table("router_example", "Says where requests go.");
  table.Text("bootstrap", &bootstrap, "host:port", "The bootstrap service.", baton::CheckHostPort);
  table.ParseOrExit(argc, argv);
  baton::InitLog(argv[0]);
  signal(SIGPIPE, SIG_IGN);
  baton::examples::Serve(bootstrap);
  return 0;
}
