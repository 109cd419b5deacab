// Counts for SHOW GLOBAL STATUS. Each may be read at any time; they need not agree with each other.
#pragma once

#include <atomic>
#include <cstdint>

namespace borealis::server {

struct NetCounters {
  std::atomic<uint64_t> connections{0};              // Connections: attempts
  std::atomic<uint64_t> refused_max_connections{0};  // Connection_errors_max_connections
  std::atomic<uint64_t> logins{0};
  std::atomic<uint64_t> aborted_connects{0};  // Aborted_connects
  std::atomic<uint64_t> aborted_clients{0};   // Aborted_clients: gone without COM_QUIT
  std::atomic<uint64_t> commands{0};
  std::atomic<uint64_t> bytes_received{0};  // Bytes_received
  std::atomic<uint64_t> bytes_sent{0};      // Bytes_sent
  std::atomic<uint64_t> output_waits{0};    // times a worker waited for a slow client
};

}  // namespace borealis::server
