// The socket of a client, which civetweb keeps to itself: without it, that a client has gone away
// would show only when something is written to it, and an engine would compute for nobody.
#ifndef BATON_CLIENT_ROUTER_APP_CLIENT_SOCKET_H_
#define BATON_CLIENT_ROUTER_APP_CLIENT_SOCKET_H_

#include <string>

namespace baton::proxy {

// The open descriptor of this process whose connection has these ends; -1 when there is none. Still
// the server's to close.
int FindConnection(const std::string& peer_address, int peer_port, int own_port);

// Whether the peer has closed the connection, or its sending half: nobody reads an answer there.
bool PeerIsGone(int socket);

}  // namespace baton::proxy

#endif  // BATON_CLIENT_ROUTER_APP_CLIENT_SOCKET_H_
