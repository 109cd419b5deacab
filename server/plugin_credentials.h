// The protocol's passwords, as account statements make and check them.
#pragma once

#include <string>
#include <string_view>

#include "sql/accounts/credentials.h"

namespace borealis::server {

class PluginCredentials final : public sql::Credentials {
 public:
  bool KnowsPlugin(std::string_view plugin) const override;
  std::string Make(std::string_view plugin, std::string_view password) const override;
  bool IsWellFormed(std::string_view plugin, std::string_view stored) const override;
  bool Proves(std::string_view plugin, std::string_view password,
              std::string_view stored) const override;
};

}  // namespace borealis::server
