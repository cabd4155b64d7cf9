// What a baton_client is.
#ifndef BATON_CLIENT_C_CLIENT_HANDLE_H_
#define BATON_CLIENT_C_CLIENT_HANDLE_H_

#include <memory>

#include "client/engine/engine_client.h"

struct baton_client {
  std::unique_ptr<baton::EngineClient> engine;
};

#endif  // BATON_CLIENT_C_CLIENT_HANDLE_H_
