// Settings of the client-facing listener. Names and defaults are those of MySQL's variables.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/mysql/constants.h"

namespace borealis::server {

struct NetOptions {
  std::string bind_address = "0.0.0.0";
  uint16_t port = 3306;  // 0: any free port
  int backlog = 1024;
  int reactors = 0;  // 0: one for each processor
  int max_connections = 5000;
  std::string server_version = "8.0.36-borealis-0.1.0";
  bool tls = true;  // offer it
  bool require_secure_transport = false;
  int64_t connect_timeout_s = 10;
  int64_t wait_timeout_s = 28800;
  int64_t interactive_timeout_s = 28800;
  int64_t net_read_timeout_s = 30;
  int64_t net_write_timeout_s = 60;
  uint32_t max_allowed_packet = mysql::kDefaultMaxAllowedPacket;
  size_t flush_bytes = 64U << 10;    // FlushIfFull sends from here on
  size_t buffer_bytes = 512U << 10;  // and waits from here on
  int keepalive_idle_s = 60;
  int keepalive_interval_s = 10;
  int keepalive_probes = 6;
};

}  // namespace borealis::server
