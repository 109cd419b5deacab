// What account statements need of authentication plugins: making and checking stored credentials.
// Implemented over the protocol's passwords by the server; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace borealis::sql {

class Credentials {
 public:
  virtual ~Credentials() = default;
  virtual bool KnowsPlugin(std::string_view plugin) const = 0;
  // Milliseconds of CPU. Empty for an empty password.
  virtual std::string Make(std::string_view plugin, std::string_view password) const = 0;
  // IDENTIFIED WITH plugin AS 'stored'.
  virtual bool IsWellFormed(std::string_view plugin, std::string_view stored) const = 0;
  virtual bool Proves(std::string_view plugin, std::string_view password,
                      std::string_view stored) const = 0;
};

}  // namespace borealis::sql
