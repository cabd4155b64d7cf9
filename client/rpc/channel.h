// A channel to a service of Baton, with the arguments that all clients share. Skins only.
#ifndef BATON_CLIENT_RPC_CHANNEL_H_
#define BATON_CLIENT_RPC_CHANNEL_H_

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>

namespace baton {

// Connects when first used, gives a slow peer seven seconds for it, connects again within two
// seconds after the peer is back, notices a peer that has
// vanished within 15 s, and shares its connection with no other channel of the process. (Shared by
// the stubs and calls made from it, as gRPC wants it.)
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address);

inline std::chrono::system_clock::time_point DeadlineIn(std::chrono::milliseconds left) {
  return std::chrono::system_clock::now() + left;
}

}  // namespace baton

#endif  // BATON_CLIENT_RPC_CHANNEL_H_
