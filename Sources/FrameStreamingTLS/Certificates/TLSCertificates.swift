internal import COpenSSL
internal import FrameStreamingCore

/// The files of an organisation that has certificates, in PEM.
public struct TLSCertificates: Hashable, Sendable {
    /// This side's certificate, and behind it those that lead to the authority; nil for a side that
    /// connects to a listener that asks for none.
    public var certificate: String?
    /// The private key of ``certificate``, without a password. Only its owner may have any right to
    /// the file.
    public var privateKey: String?
    /// The authorities that peers' certificates must be from.
    ///
    /// A listener with authorities takes only peers that prove themselves by a certificate. Without
    /// them it takes everybody, encrypted. A side that connects always checks the listener's
    /// certificate: by these, or by the system's authorities if this is nil.
    public var authorities: String?

    /// Names the files, which are read when a ``TLSSecurity`` is made of them.
    ///
    /// - Parameters:
    ///   - certificate: This side's certificate.
    ///   - privateKey: Its private key.
    ///   - authorities: The authorities of peers' certificates.
    public init(certificate: String? = nil, privateKey: String? = nil, authorities: String? = nil) {
        self.certificate = certificate
        self.privateKey = privateKey
        self.authorities = authorities
    }

    /// Loads the files into OpenSSL's context.
    ///
    /// Unsafe code: the context lives through the call, and OpenSSL copies the paths.
    func load(into context: OpaquePointer) throws(FrameStreamingError) {
        guard (certificate == nil) == (privateKey == nil) else {
            throw FrameStreamingError(
                .invalidArgument, "a certificate needs its private key, and the key the certificate")
        }
        ERR_clear_error()
        if let certificate, let privateKey {
            try PrivateFile.check(privateKey)
            guard unsafe SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
                throw unusable(certificate, "is no certificate in PEM")
            }
            guard unsafe SSL_CTX_use_PrivateKey_file(context, privateKey, SSL_FILETYPE_PEM) == 1 else {
                throw unusable(
                    privateKey, "is no private key in PEM without a password, or not that of the certificate")
            }
            guard unsafe SSL_CTX_check_private_key(context) == 1 else {
                throw unusable(privateKey, "is not the key of the certificate")
            }
        }
        if let authorities {
            guard unsafe SSL_CTX_load_verify_locations(context, authorities, nil) == 1 else {
                throw unusable(authorities, "has no certificates in PEM")
            }
            // The names that a listener tells its peers, so that they can choose a certificate.
            unsafe SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(authorities))
        } else {
            unsafe SSL_CTX_set_default_verify_paths(context)
        }
    }

    private func unusable(_ path: String, _ what: String) -> FrameStreamingError {
        ERR_clear_error()
        return FrameStreamingError(
            .malformedInput, "the file is missing or \(what): check its path and its contents", subject: path)
    }
}
