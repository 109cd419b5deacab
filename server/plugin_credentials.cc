#include "server/plugin_credentials.h"

#include "protocol/mysql/password.h"

namespace borealis::server {

bool PluginCredentials::KnowsPlugin(std::string_view plugin) const {
  return plugin == mysql::kSha2Plugin || plugin == mysql::kNativePlugin;
}

std::string PluginCredentials::Make(std::string_view plugin, std::string_view password) const {
  return mysql::StoredCredential(plugin, password);
}

bool PluginCredentials::IsWellFormed(std::string_view plugin, std::string_view stored) const {
  return mysql::IsStoredCredential(plugin, stored);
}

bool PluginCredentials::Proves(std::string_view plugin, std::string_view password,
                               std::string_view stored) const {
  return mysql::CheckStoredPassword(plugin, password, stored);
}

}  // namespace borealis::server
