// The network layer with the test session, for trying stock clients by hand:
//   net_echo_server PORT DIRECTORY      users: root (no password), sha and native (password:
//   secret)
#include <cstdlib>

#include "base/obs/log.h"
#include "base/os/signals.h"
#include "server/net/net_server.h"
#include "server/worker_pool.h"
#include "tests/unit/server/echo_handler.h"

int main(int argc, char** argv) {
  using namespace borealis;
  using namespace borealis::server;
  if (argc != 3) {
    return 2;
  }
  BlockStopSignals();
  OpenLog("", "echo", LogLevel::kInfo);
  Result<ServerKeys> keys = LoadOrMakeKeys(RealFileSystem(), argv[2]);
  if (!keys.ok()) {
    LOG_ERROR("{}", keys.status().ToString());
    return 1;
  }
  WorkerPool pool({});
  pool.Start();
  TestAccounts accounts;
  EchoFactory factory;
  NetServer::Parts parts;
  parts.options.bind_address = "127.0.0.1";
  parts.options.port = static_cast<uint16_t>(std::atoi(argv[1]));
  parts.keys = *keys;
  parts.accounts = &accounts;
  parts.factory = &factory;
  parts.pool = &pool;
  const std::unique_ptr<NetServer> server = NetServer::Create(parts);
  const Status started = server->Start();
  if (!started.ok()) {
    LOG_ERROR("{}", started.ToString());
    return 1;
  }
  WaitForStopSignal();
  server->Stop();
  pool.Stop();
  return 0;
}
