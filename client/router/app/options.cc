#include "client/router/app/options.h"

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::proxy {

void AddRows(RouterProgramOptions* o, ConfigTable* table) {
  table->Text("bootstrap", &o->bootstrap, "host:port", "Address of the bootstrap service.",
              CheckPeerAddress);
  table->Text("listen", &o->listen, "host:port",
              "Address to serve OpenAI's API on; port 0 takes any free one.", CheckHostPort);
  table->Text("port_file", &o->port_file, "path",
              "File to write host:port to, once it is served, with the port that was taken.");
  table->Choice("policy", &o->policy,
                {"power_of_two", "least_loaded", "round_robin", "consistent_hash", "locality"},
                "How the two servers of a request are chosen. consistent_hash: prompts that begin "
                "alike go to the same pair.");
  table->List("here", &o->here, "key=value",
              "Where this router is, by the labels zone, rack and host; for --policy=locality.");
  table->Number("attempts", &o->attempts, {1, 16}, "pairs",
                "Pairs of servers that a request is tried with while its client has been told "
                "nothing.");
  table->Number("wait_ms", &o->wait_ms, {0, 600000}, "ms",
                "How long a request waits for a pair of ready servers.");
  table->Number("connect_ms", &o->connect_ms, {10, 60000}, "ms",
                "How long a connection to an engine may take, its name's lookup included.");
  table->Number("engine_silence_s", &o->engine_silence_s, {1, 86400}, "s",
                "An engine that sends nothing for so long has failed.");
  table->Number("client_ms", &o->client_ms, {100, 3600000}, "ms",
                "A client that sends nothing of its request, or reads nothing of its answer, for "
                "so long is cut off.");
  table->Number("drain_ms", &o->drain_ms, {0, 3600000}, "ms",
                "Time for running requests to end after SIGTERM.");
  table->Number("max_requests", &o->max_requests, {1, 4096}, "requests",
                "Requests at one time; each has a thread. One more is answered with 503.");
  table->Number("max_request_bytes", &o->max_request_bytes, {1024, uint64_t{1} << 32}, "bytes",
                "Largest request; a larger one is answered with 413.");
  table->Number("max_answer_bytes", &o->max_answer_bytes, {1024, uint64_t{1} << 32}, "bytes",
                "Largest answer that does not stream.");
  admin::AddRows(&o->admin, table);
}

Policy PolicyOf(const std::string& name) {
  if (name == "least_loaded") return Policy::kLeastLoaded;
  if (name == "round_robin") return Policy::kRoundRobin;
  if (name == "consistent_hash") return Policy::kConsistentHash;
  if (name == "locality") return Policy::kLocality;
  return Policy::kPowerOfTwo;
}

absl::StatusOr<std::map<std::string, std::string>> PlaceOf(const std::vector<std::string>& here) {
  std::map<std::string, std::string> place;
  for (const std::string& label : here) {
    const size_t equals = label.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Error(Reason::kConfig, absl::StrCat("--here=", label, ": is no key=value"));
    }
    place[label.substr(0, equals)] = label.substr(equals + 1);
  }
  return place;
}

}  // namespace baton::proxy
