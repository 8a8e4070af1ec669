internal import COpenSSL
internal import FrameStreamingCore
internal import FrameStreamingSystem

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
            let chain = try PrivateFile.read(certificate, atMost: Self.mostBytes, for: .anybody)
            var secret = try PrivateFile.read(privateKey, atMost: Self.mostBytes)
            defer { cleanse(&secret) }
            switch unsafe fs_tls_use(context, chain, CInt(chain.count), secret, CInt(secret.count)) {
            case 1: break
            case 0: throw Self.unusable(certificate, "is no certificate in PEM, or its key is too weak")
            case -1: throw Self.unusable(privateKey, "is no private key in PEM without a password")
            default: throw Self.unusable(privateKey, "is not the key of the certificate")
            }
        }
        if let authorities {
            let trusted = try PrivateFile.read(authorities, atMost: Self.mostBytes, for: .readers)
            guard unsafe fs_tls_trust(context, trusted, CInt(trusted.count)) == 1 else {
                throw Self.unusable(authorities, "has no certificates in PEM, or a broken one")
            }
            ERR_clear_error()
        } else {
            unsafe SSL_CTX_set_default_verify_paths(context)
        }
    }

    /// Enough for every authority that a system knows.
    private static let mostBytes = 4 << 20

    static func unusable(_ path: String, _ what: String) -> FrameStreamingError {
        ERR_clear_error()
        return FrameStreamingError(
            .malformedInput, "the file \(what): check its path and its contents", subject: path)
    }
}
