// How accounts prove passwords: what is stored, what goes over the wire, how one is checked against
// the other. H is SHA-1 for mysql_native_password and SHA-256 for caching_sha2_password.
//
//   plugin                 stored                                  response to a scramble S
//   mysql_native_password  '*' + hex(H(H(pw)))                     H(pw) xor H(S, H(H(pw)))
//   caching_sha2_password  "$A$005$" + 20-byte salt + 43 chars     H(pw) xor H(H(H(pw)), S)
//                          of SHA-256-crypt, 5000 rounds
//
// The caching_sha2 response can only be checked against H(H(pw)), which is not stored but kept in
// memory (Sha2Cache) after the password itself was seen once over a safe channel.
// An empty password is stored and answered as the empty string with either plugin.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutex.h"

namespace borealis::mysql {

inline constexpr std::string_view kNativePlugin = "mysql_native_password";
inline constexpr std::string_view kSha2Plugin = "caching_sha2_password";
inline constexpr size_t kSha2DigestSize = 32;
// Longer passwords are refused, which bounds the work of the crypt function.
inline constexpr size_t kMaxPasswordSize = 256;

// mysql_native_password.
std::string NativeStoredCredential(std::string_view password);
std::string NativeResponse(std::string_view password, std::string_view scramble);
bool CheckNativeResponse(std::string_view response, std::string_view scramble,
                         std::string_view stored);

// caching_sha2_password. Making or verifying a stored credential takes milliseconds of CPU.
std::string Sha2StoredCredential(std::string_view password);
bool CheckSha2Password(std::string_view password, std::string_view stored);
std::string Sha2FastDigest(std::string_view password);
std::string Sha2Response(std::string_view password, std::string_view scramble);
bool CheckSha2Response(std::string_view response, std::string_view scramble,
                       std::string_view fast_digest);
// The 43 characters of SHA-256-crypt ("$5$" without its prefix), salts up to any length.
std::string Sha256Crypt(std::string_view password, std::string_view salt, uint32_t rounds);

// Whether it is the password that was stored as `stored` by `plugin`.
bool CheckStoredPassword(std::string_view plugin, std::string_view password,
                         std::string_view stored);
// A stored credential for `plugin`, or empty when the plugin is not one of the two.
std::string StoredCredential(std::string_view plugin, std::string_view password);
// A string is well formed as stored by `plugin` (CREATE USER … IDENTIFIED WITH … AS '…').
bool IsStoredCredential(std::string_view plugin, std::string_view stored);

// H(H(pw)) of accounts that have proved their password since start. An entry counts only for the
// stored credential it was proved against, so a password change needs no invalidation.
// Thread-safe.
class Sha2Cache {
 public:
  // `account` names the account: "user@host-pattern". Empty when not cached.
  std::string Find(std::string_view account, std::string_view stored) const;
  void Put(std::string_view account, std::string_view stored, std::string digest);
  // FLUSH PRIVILEGES.
  void Clear();

 private:
  struct Entry {
    std::string stored;
    std::string digest;
  };
  mutable Mutex mutex_{LockRank::kLeaf};
  std::unordered_map<std::string, Entry> entries_ GUARDED_BY(mutex_);
};

}  // namespace borealis::mysql
