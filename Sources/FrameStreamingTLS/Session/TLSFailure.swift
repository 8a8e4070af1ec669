internal import COpenSSL
internal import FrameStreamingCore

/// What a failure in OpenSSL means for the user: `(reason, side, phase) -> error`.
struct TLSFailure {
    /// OpenSSL's reason (sslerr.h); 1000 and more are alerts of the peer; 0 = none.
    let reason: Int
    let listens: Bool
    /// Whether this side has certificates, and no keys.
    let usesCertificates: Bool
    let address: String

    /// Alerts are 1000 and their number (RFC 8446, 6).
    private static let alert = Int(SSL_AD_REASON_OFFSET)
    /// bad_certificate to certificate_unknown, unknown_ca, access_denied, decrypt_error,
    /// insufficient_security, unknown_psk_identity, certificate_required.
    private static let alertsAboutCredentials: Set<Int> = [42, 43, 44, 45, 46, 48, 49, 51, 71, 115, 116]

    /// Whether the peer has said by an alert that it ends the connection.
    var isAlert: Bool { (Self.alert..<Self.alert + 256).contains(reason) }

    /// Whether the peer's first bytes are not TLS.
    var isOfPlainPeer: Bool {
        [Int(SSL_R_WRONG_VERSION_NUMBER), Int(SSL_R_HTTP_REQUEST), Int(SSL_R_HTTPS_PROXY_REQUEST)].contains(reason)
    }

    /// What OpenSSL says of the reason, such as "wrong version number".
    private var words: String {
        guard reason != 0, let text = unsafe ERR_reason_error_string(20 << 23 | UInt(reason)) else {
            return "no reason"
        }
        return unsafe String(cString: text)
    }

    /// - Parameters:
    ///   - identity: The identity of the key that the peer named, if it named one.
    ///   - certificate: What is wrong with the peer's certificate; nil = nothing is.
    func handshakeError(identity: String?, certificate: String?) -> FrameStreamingError {
        if let certificate {
            return error(
                .notAuthenticated,
                "the peer's certificate is not accepted (\(certificate)): check its dates, its name and who signed it")
        }
        switch reason {
        case Int(SSL_R_BINDER_DOES_NOT_VERIFY):
            return FrameStreamingError(
                .notAuthenticated, "the peer has another key than this side for the identity ",
                peer: identity ?? "", behind: ": copy the key file again, and reload it", subject: address)
        case Int(SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE):
            return error(.notAuthenticated, "the peer has no certificate, and this side asks for one: give it one")
        case Int(SSL_R_NO_SHARED_CIPHER) where usesCertificates:
            return error(
                .protocolViolation,
                "the peer offers none of this side's ciphers, AES-128-GCM and ChaCha20-Poly1305: update the peer")
        case Int(SSL_R_NO_SHARED_CIPHER), Int(SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM), Int(SSL_R_BAD_PSK),
            Int(SSL_R_BAD_PSK_IDENTITY):
            guard let identity else {
                return error(
                    .notAuthenticated, "the peer has no key that this side knows: give both sides the same key file")
            }
            return FrameStreamingError(
                .notAuthenticated, "this side has no key of the identity ", peer: identity,
                behind: ": add its file, and reload", subject: address)
        case Int(SSL_R_UNSUPPORTED_PROTOCOL), Int(SSL_R_VERSION_TOO_LOW), Self.alert + 70:
            return error(.protocolViolation, "the peer speaks an older TLS, and this side only 1.3: update the peer")
        case Int(SSL_R_HTTP_REQUEST), Int(SSL_R_HTTPS_PROXY_REQUEST):
            return error(
                .protocolViolation,
                "the peer speaks HTTP, like a browser or curl, and this port takes pictures: open the preview's address instead"
            )
        case Int(SSL_R_WRONG_VERSION_NUMBER):
            return error(
                .protocolViolation,
                listens
                    ? "the peer does not encrypt, and this side does: give it a key of this side, or see that it is a program of this package"
                    : "the program there does not encrypt its connections: give it a key as well, or check the host and the port"
            )
        // internal_error: for want of memory, or the like.
        case Self.alert + 80:
            return error(.connectionFailed, "the peer failed in its own part of the handshake (\(words)): try again")
        // What a peer says that has no key in common with this one, and no certificate.
        case Self.alert + 40 where !listens && usesCertificates:
            return error(
                .notAuthenticated,
                "the peer has nothing in common with this side (\(words)): see that it has a certificate, and TLS 1.3 with X25519 or P-256 and AES-128-GCM or ChaCha20-Poly1305"
            )
        case Self.alert + 40 where !listens, Self.alert + 47 where !listens:
            return error(
                .notAuthenticated,
                "the peer does not accept this side's key (\(words)): give both sides the same key file")
        default:
            if Self.alertsAboutCredentials.contains(reason - Self.alert) { return refusal }
            return error(.protocolViolation, "the peer broke the TLS handshake (\(words)): check what it is")
        }
    }

    /// The error of an established connection.
    var streamError: FrameStreamingError {
        // A listener checks a certificate only after this side's handshake is complete.
        if Self.alertsAboutCredentials.contains(reason - Self.alert) { return refusal }
        return error(
            .connectionLost,
            "the connection's encryption broke (\(words)): bytes were changed on the way, or the peer is faulty")
    }

    private var refusal: FrameStreamingError {
        error(
            .notAuthenticated,
            "the peer does not accept this side's key or certificate (\(words)): check its dates, and that the peer knows it"
        )
    }

    private func error(_ code: FrameStreamingError.Code, _ message: String) -> FrameStreamingError {
        FrameStreamingError(code, message, subject: address)
    }
}
