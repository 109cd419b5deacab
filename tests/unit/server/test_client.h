// A blocking MySQL client on a real socket, made of the protocol library's parts, so that tests can
// also do what a well-behaved driver never does.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "protocol/mysql/constants.h"
#include "protocol/mysql/handshake.h"
#include "protocol/mysql/packet.h"
#include "protocol/mysql/password.h"
#include "protocol/mysql/rsa_key.h"
#include "protocol/mysql/wire.h"

namespace borealis::server {

class TestClient {
 public:
  explicit TestClient(uint16_t port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~TestClient() { Close(); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  void Close() {
    if (ssl_ != nullptr) {
      SSL_free(ssl_);
      SSL_CTX_free(context_);
      ssl_ = nullptr;
    }
    if (fd_ >= 0) {
      ::close(fd_);
      fd_ = -1;
    }
  }

  // Next packet of the server; nullopt at the end of the stream or after `timeout_ms`.
  std::optional<std::string> Read(int timeout_ms = 10000) {
    for (;;) {
      std::string_view payload;
      Result<bool> next = reader_.Next(&sequence_, &payload);
      if (!next.ok()) {
        return std::nullopt;
      }
      if (*next) {
        return std::string(payload);
      }
      std::span<char> space = reader_.Space(65536);
      int got = 0;
      if (ssl_ != nullptr) {
        got = SSL_read(ssl_, space.data(), static_cast<int>(space.size()));
      } else {
        pollfd wait{fd_, POLLIN, 0};
        if (::poll(&wait, 1, timeout_ms) == 0) {
          timed_out = true;
          return std::nullopt;
        }
        got = static_cast<int>(::recv(fd_, space.data(), space.size(), 0));
      }
      if (got <= 0) {
        return std::nullopt;
      }
      reader_.Added(static_cast<size_t>(got));
    }
  }

  bool WriteRaw(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ssl_ != nullptr
                               ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                               : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  bool Write(std::string_view payload) {
    std::string frame;
    mysql::PacketWriter(&frame, &sequence_).Write(payload);
    return WriteRaw(frame);
  }
  static std::string Frame(std::string_view payload, uint8_t sequence = 0) {
    std::string frame;
    mysql::PacketWriter(&frame, &sequence).Write(payload);
    return frame;
  }

  // Reads the greeting; false when the server sent an error instead (see last_error).
  bool ReadGreeting() {
    const std::optional<std::string> packet = Read();
    if (!packet.has_value() || NoteError(*packet)) {
      return false;
    }
    mysql::WireReader reader(*packet);
    reader.Int1();
    version = reader.NulString();
    thread_id = reader.Int4();
    scramble_ = reader.Bytes(8);
    reader.Int1();
    server_capabilities = reader.Int2();
    reader.Int1();
    reader.Int2();
    server_capabilities |= static_cast<uint32_t>(reader.Int2()) << 16;
    reader.Int1();
    reader.Skip(10);
    scramble_ += reader.Bytes(12);
    reader.Int1();
    plugin_ = reader.NulString();
    return reader.ok();
  }

  bool StartTls() {
    std::string request;
    AppendLittle(&request, capabilities | mysql::kClientSsl);
    AppendLittle(&request, uint32_t{1} << 24);
    request += '\xff';
    request.append(23, '\0');
    capabilities |= mysql::kClientSsl;
    if (!Write(request)) {
      return false;
    }
    context_ = SSL_CTX_new(TLS_client_method());
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    return SSL_connect(ssl_) == 1;
  }

  // Greeting, TLS when asked, login, whatever the server's plugins want. True after the OK.
  bool Login(const std::string& user, const std::string& password, bool tls = false,
             const std::string& plugin = "", const std::string& database = "") {
    if (!ReadGreeting() || (tls && !StartTls())) {
      return false;
    }
    if (!plugin.empty()) {
      plugin_ = plugin;
    }
    std::string packet;
    if (!database.empty()) {
      capabilities |= mysql::kClientConnectWithDb;
    }
    AppendLittle(&packet, capabilities);
    AppendLittle(&packet, uint32_t{1} << 24);
    packet += '\xff';
    packet.append(23, '\0');
    mysql::AppendNulString(&packet, user);
    mysql::AppendLenEncString(&packet, Respond(password));
    if (!database.empty()) {
      mysql::AppendNulString(&packet, database);
    }
    mysql::AppendNulString(&packet, plugin_);
    return Write(packet) && FinishLogin(password);
  }

  bool ChangeUser(const std::string& user, const std::string& password, const std::string& plugin) {
    plugin_ = plugin;
    std::string packet(1, '\x11');
    mysql::AppendNulString(&packet, user);
    const std::string response = Respond(password);
    mysql::AppendInt1(&packet, static_cast<uint8_t>(response.size()));
    packet += response;
    mysql::AppendNulString(&packet, "");
    AppendLittle(&packet, uint16_t{255});
    mysql::AppendNulString(&packet, plugin_);
    sequence_ = 0;
    return Write(packet) && FinishLogin(password);
  }

  // Sends a query; the values of the first column, or nullopt after an error.
  std::optional<std::vector<std::string>> Query(const std::string& text) {
    return SendQuery(text) ? ReadAnswer() : std::nullopt;
  }
  bool SendQuery(const std::string& text) {
    sequence_ = 0;
    return Write("\x03" + text);
  }
  bool SendCommand(const std::string& payload) {
    sequence_ = 0;
    return Write(payload);
  }
  // The answer to a command of one frame, perhaps pipelined with others.
  std::optional<std::vector<std::string>> ReadResult() {
    sequence_ = 1;
    return ReadAnswer();
  }
  std::optional<std::vector<std::string>> ReadAnswer() {
    std::vector<std::string> values;
    std::optional<std::string> packet = Read();
    if (!packet.has_value() || NoteError(*packet)) {
      return std::nullopt;
    }
    if ((*packet)[0] == '\0') {
      return values;  // OK
    }
    const int columns = (*packet)[0];
    for (int i = 0; i < columns + 1; ++i) {  // definitions and EOF
      if (!(packet = Read()).has_value()) {
        return std::nullopt;
      }
    }
    while ((packet = Read()).has_value()) {
      if (NoteError(*packet)) {
        return std::nullopt;
      }
      if ((*packet)[0] == '\xFE' && packet->size() < 9) {
        return values;
      }
      mysql::WireReader reader(*packet);
      values.emplace_back(reader.LenEncString());
    }
    return std::nullopt;
  }
  std::string Value(const std::string& text) {
    const auto values = Query(text);
    return values.has_value() && !values->empty() ? values->front() : "";
  }

  void ResetSequence(uint8_t sequence) { sequence_ = sequence; }
  // True, and remembers it, when the packet is an ERR.
  bool NoteError(const std::string& packet) {
    if (packet.empty() || packet[0] != '\xFF') {
      return false;
    }
    last_error = LoadLittle<uint16_t>(packet.data() + 1);
    last_message = packet.substr(9);
    return true;
  }

  int fd() const { return fd_; }
  bool connected() const { return connected_; }

  std::string version;
  uint32_t thread_id = 0;
  uint32_t server_capabilities = 0;
  uint32_t capabilities = mysql::kClientProtocol41 | mysql::kClientSecureConnection |
                          mysql::kClientPluginAuth | mysql::kClientPluginAuthLenencData |
                          mysql::kClientTransactions;
  int last_error = 0;
  std::string last_message;
  bool timed_out = false;
  bool used_full_authentication = false;

 private:
  std::string Respond(const std::string& password) const {
    return plugin_ == mysql::kNativePlugin ? mysql::NativeResponse(password, scramble_)
                                           : mysql::Sha2Response(password, scramble_);
  }

  bool FinishLogin(const std::string& password) {
    for (;;) {
      const std::optional<std::string> packet = Read();
      if (!packet.has_value() || packet->empty() || NoteError(*packet)) {
        return false;
      }
      if ((*packet)[0] == '\0') {
        return true;
      }
      if ((*packet)[0] == '\xFE') {
        mysql::WireReader reader(std::string_view(*packet).substr(1));
        plugin_ = reader.NulString();
        scramble_ = reader.NulString();
        if (!Write(Respond(password))) {
          return false;
        }
      } else if (*packet == "\x01\x04") {
        used_full_authentication = true;
        if (!SendPassword(password)) {
          return false;
        }
      }
    }
  }

  bool SendPassword(const std::string& password) {
    std::string plain = password + '\0';
    if (ssl_ != nullptr) {
      return Write(plain);
    }
    Write("\x02");
    const std::optional<std::string> key = Read();
    if (!key.has_value() || key->empty()) {
      return false;
    }
    for (size_t i = 0; i < plain.size(); ++i) {
      plain[i] = static_cast<char>(plain[i] ^ scramble_[i % scramble_.size()]);
    }
    return Write(EncryptFor(key->substr(1), plain));
  }

  static std::string EncryptFor(const std::string& public_pem, const std::string& plain);

  int fd_ = -1;
  bool connected_ = false;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  mysql::PacketReader reader_{uint32_t{1} << 30};
  uint8_t sequence_ = 0;
  std::string scramble_;
  std::string plugin_;
};

}  // namespace borealis::server
