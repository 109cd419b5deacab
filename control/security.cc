#include "control/security.h"

#include "base/net/certificate.h"
#include "base/os/file.h"
#include "base/os/random.h"

namespace borealis::control {

namespace {

constexpr const char* kAuthority = "ca";

std::string SecretPath(const std::string& directory) {
  return directory + "/secret";
}
std::string TlsDirectory(const std::string& directory) {
  return directory + "/tls";
}
std::string CertificatePath(const std::string& directory, std::string_view name) {
  return TlsDirectory(directory) + "/" + std::string(name) + "-cert.pem";
}
std::string KeyPath(const std::string& directory, std::string_view name) {
  return TlsDirectory(directory) + "/" + std::string(name) + "-key.pem";
}

Status WritePrivate(const std::string& path, std::string_view bytes) {
  return WriteWholeFile(RealFileSystem(), path, bytes, FileSystem::Mode::kCreatePrivate);
}

Result<std::string> ReadPrivate(const std::string& path) {
  RETURN_IF_ERROR(CheckPrivate(path));
  return ReadWholeFile(RealFileSystem(), path);
}

// Makes key and certificate of `name`, signed by the authority or, for the authority, by itself.
// The certificate is written last: with it the pair is complete.
Status MakePair(const std::string& directory, const std::string& name) {
  if (RealFileSystem().Exists(CertificatePath(directory, name))) {
    return Status::Ok();
  }
  CertificateRequest request;
  request.common_name = name;
  request.is_authority = name == kAuthority;
  std::string authority;
  std::string authority_key;
  if (!request.is_authority) {
    request.alternative_names = "DNS:" + name;
    request.extended_usage = "serverAuth,clientAuth";
    ASSIGN_OR_RETURN(authority,
                     ReadWholeFile(RealFileSystem(), CertificatePath(directory, kAuthority)));
    ASSIGN_OR_RETURN(authority_key, ReadPrivate(KeyPath(directory, kAuthority)));
  }
  ASSIGN_OR_RETURN(const std::string key, MakePrivateKey());
  ASSIGN_OR_RETURN(const std::string certificate,
                   MakeCertificate(request, key, authority, authority_key));
  RETURN_IF_ERROR(WritePrivate(KeyPath(directory, name), key));
  return WriteWholeFile(RealFileSystem(), CertificatePath(directory, name), certificate);
}

}  // namespace

Status MakeSecurity(const std::string& directory, const ClusterConfig& config,
                    const std::vector<std::string>& names) {
  if (!config.secure) {
    return RealFileSystem().Exists(SecretPath(directory))
               ? Status::Ok()
               : WritePrivate(SecretPath(directory), SecureRandomBytes(kClusterSecretSize));
  }
  RETURN_IF_ERROR(RealFileSystem().CreateDirectories(TlsDirectory(directory)));
  RETURN_IF_ERROR(MakePair(directory, kAuthority));
  for (const std::string& name : names) {
    RETURN_IF_ERROR(MakePair(directory, name));
  }
  return MakePair(directory, std::string(kOperatorId));
}

Result<std::shared_ptr<const PeerSecurity>> LoadSecurity(const std::string& directory,
                                                         const ClusterConfig& config,
                                                         std::string_view name) {
  if (!config.secure) {
    ASSIGN_OR_RETURN(std::string secret, ReadPrivate(SecretPath(directory)));
    return PeerSecurity::FromSecret(std::move(secret));
  }
  ASSIGN_OR_RETURN(const std::string authority,
                   ReadWholeFile(RealFileSystem(), CertificatePath(directory, kAuthority)));
  ASSIGN_OR_RETURN(const std::string certificate,
                   ReadWholeFile(RealFileSystem(), CertificatePath(directory, name)));
  ASSIGN_OR_RETURN(const std::string key, ReadPrivate(KeyPath(directory, name)));
  return PeerSecurity::FromCertificates(authority, certificate, key);
}

}  // namespace borealis::control
