#include "client/router/app/engine_legs.h"

#include <curl/curl.h>

#include <array>

#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace baton::proxy {
namespace {

struct EndMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct EndEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct EndList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Call {
  std::unique_ptr<curl_slist, EndList> headers;
  std::unique_ptr<CURL, EndEasy> easy;
  uint64_t answer_bytes = 0;
  std::array<char, CURL_ERROR_SIZE> error = {};
  LegAnswer answer;
};

void ReadHead(Call* call) {
  long status = 0;
  const char* type = nullptr;
  curl_easy_getinfo(call->easy.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(call->easy.get(), CURLINFO_CONTENT_TYPE, &type);
  call->answer.status = static_cast<int>(status);
  call->answer.type = type == nullptr ? std::string(kJsonType) : type;
}

size_t OnBytes(char* bytes, size_t one, size_t count, void* user) {
  auto* call = static_cast<Call*>(user);
  if (call->answer.status == 0) ReadHead(call);
  if (call->answer.bytes.size() + one * count > call->answer_bytes) {
    call->answer.failure = "its answer is larger than --max_answer_bytes";
    return CURL_WRITEFUNC_ERROR;
  }
  call->answer.bytes.append(bytes, one * count);
  return one * count;
}

template <typename Value>
void Set(Call* call, CURLoption option, Value value) {
  const CURLcode set = curl_easy_setopt(call->easy.get(), option, value);
  CHECK_EQ(set, CURLE_OK) << "libcurl's option " << option << ": " << curl_easy_strerror(set);
}

void Prepare(const LegBody& leg, const PassedOn& passed, const EngineLimits& limits, Call* call) {
  call->easy.reset(curl_easy_init());
  CHECK(call->easy != nullptr);
  call->answer_bytes = limits.answer_bytes;
  // Large bodies go out without being asked for.
  curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");
  headers = curl_slist_append(headers, "Expect:");
  if (!passed.authorization.empty()) {
    headers =
        curl_slist_append(headers, absl::StrCat("Authorization: ", passed.authorization).c_str());
  }
  call->headers.reset(headers);
  Set(call, CURLOPT_URL, absl::StrCat("http://", leg.http, passed.path).c_str());
  Set(call, CURLOPT_PROTOCOLS_STR, "http");
  // Engines are reached directly, whatever the environment says.
  Set(call, CURLOPT_PROXY, "");
  Set(call, CURLOPT_NOSIGNAL, 1L);
  Set(call, CURLOPT_HTTPHEADER, call->headers.get());
  Set(call, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(leg.body.size()));
  Set(call, CURLOPT_POSTFIELDS, leg.body.c_str());
  Set(call, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect.count()));
  Set(call, CURLOPT_LOW_SPEED_LIMIT, 1L);
  Set(call, CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits.silence.count()));
  Set(call, CURLOPT_ERRORBUFFER, call->error.data());
  Set(call, CURLOPT_WRITEFUNCTION, &OnBytes);
  Set(call, CURLOPT_WRITEDATA, static_cast<void*>(call));
  Set(call, CURLOPT_PRIVATE, static_cast<void*>(call));
}

void End(Call* call, CURLcode code) {
  if (call->answer.status == 0) ReadHead(call);
  call->answer.ended = true;
  if (code == CURLE_OK || !call->answer.failure.empty()) return;
  call->answer.failure = call->error[0] != 0 ? call->error.data() : curl_easy_strerror(code);
}

}  // namespace

struct EngineLegs::Wire {
  std::unique_ptr<CURLM, EndMulti> multi{curl_multi_init()};
  Call prefill;
  Call decode;
};

EngineLegs::EngineLegs(const LegBodies& bodies, const PassedOn& passed, const EngineLimits& limits)
    : wire_(std::make_unique<Wire>()) {
  CHECK(wire_->multi != nullptr);
  Prepare(bodies.prefill, passed, limits, &wire_->prefill);
  Prepare(bodies.decode, passed, limits, &wire_->decode);
  for (Call* call : {&wire_->prefill, &wire_->decode}) {
    CHECK_EQ(curl_multi_add_handle(wire_->multi.get(), call->easy.get()), CURLM_OK);
  }
}

EngineLegs::~EngineLegs() {
  for (Call* call : {&wire_->prefill, &wire_->decode}) {
    curl_multi_remove_handle(wire_->multi.get(), call->easy.get());
  }
}

bool EngineLegs::Wait(int client, std::chrono::milliseconds wait) {
  CURLM* multi = wire_->multi.get();
  curl_waitfd watched = {client, CURL_WAIT_POLLIN, 0};
  int running = 0;
  int left = 0;
  curl_multi_perform(multi, &running);
  const CURLMsg* message = curl_multi_info_read(multi, &left);
  if (message == nullptr && wire_->decode.answer.bytes.empty()) {
    curl_multi_poll(multi, &watched, client < 0 ? 0 : 1, static_cast<int>(wait.count()), nullptr);
    curl_multi_perform(multi, &running);
    message = curl_multi_info_read(multi, &left);
  }
  for (; message != nullptr; message = curl_multi_info_read(multi, &left)) {
    char* call = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
    End(reinterpret_cast<Call*>(call), message->data.result);
  }
  return (watched.revents & CURL_WAIT_POLLIN) != 0;
}

LegAnswer& EngineLegs::prefill() { return wire_->prefill.answer; }
LegAnswer& EngineLegs::decode() { return wire_->decode.answer; }

}  // namespace baton::proxy
