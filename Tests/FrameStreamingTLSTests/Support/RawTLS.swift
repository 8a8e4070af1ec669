import COpenSSL
import FrameStreamingSystem
import Glibc
import RawSockets
import Testing

@testable import FrameStreamingTLS

/// The other end of a TLS connection, by OpenSSL alone: with what an old or a hostile program offers
/// and sends. No call waits.
///
/// Unsafe code: the session lives from init to deinit, and one thread uses it.
@safe final class RawTLS {
    /// What it offers and accepts.
    enum Offer: CaseIterable {
        case everything
        /// TLS 1.2 with all its suites.
        case oldVersion
        /// A group of finite fields whose first message would cost much, and nothing else.
        case expensiveGroup
        /// A suite that is not asked for.
        case otherSuite
    }

    private let context: OpaquePointer
    private let ssl: OpaquePointer
    /// Keeps the socket open.
    private let socket: Descriptor
    private(set) var hasFailed = false

    /// - Parameter listens: Whether it is the side that listens, with the certificate of these tests.
    init(_ socket: Descriptor, listens: Bool, offer: Offer = .everything) throws {
        self.socket = socket
        unsafe context = try #require(SSL_CTX_new(TLS_method()))
        unsafe ssl = try Self.session(context, socket, listens: listens, offer)
    }

    deinit {
        unsafe SSL_free(ssl)
        unsafe SSL_CTX_free(context)
    }

    private static func session(
        _ context: OpaquePointer, _ socket: Descriptor, listens: Bool, _ offer: Offer
    ) throws -> OpaquePointer {
        switch offer {
        case .everything: break
        case .oldVersion:
            unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
        case .expensiveGroup:
            var name = Array("ffdhe8192".utf8CString)
            let code = unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, &name)
            try #require(code == 1)
        case .otherSuite:
            try #require(unsafe SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384") == 1)
        }
        if listens {
            try #require(
                unsafe SSL_CTX_use_certificate_file(context, certificatePath("listener.pem"), SSL_FILETYPE_PEM) == 1)
            try #require(
                unsafe SSL_CTX_use_PrivateKey_file(context, certificatePath("listener.key"), SSL_FILETYPE_PEM) == 1)
        }
        let ssl = unsafe try #require(SSL_new(context))
        unsafe SSL_set_fd(ssl, socket.raw)
        if listens { unsafe SSL_set_accept_state(ssl) } else { unsafe SSL_set_connect_state(ssl) }
        return unsafe ssl
    }

    /// Goes on with the handshake, or sends what is waiting, as far as the socket takes it.
    ///
    /// - Returns: Whether nothing is left to do.
    @discardableResult func step() -> Bool {
        ERR_clear_error()
        let code = unsafe SSL_do_handshake(ssl)
        if code == 1 { return true }
        let reason = unsafe SSL_get_error(ssl, code)
        if reason != SSL_ERROR_WANT_READ, reason != SSL_ERROR_WANT_WRITE { hasFailed = true }
        return false
    }

    /// Announces new keys, and asks the peer for new ones of its own.
    func updateKeys() -> Bool {
        ERR_clear_error()
        return unsafe SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1 && step()
    }

    /// Sends another ticket.
    func sendTicket() -> Bool {
        ERR_clear_error()
        return unsafe SSL_new_session_ticket(ssl) == 1 && step()
    }

    /// Reads what is no data.
    func readAnswers() {
        ERR_clear_error()
        var room: UInt8 = 0
        let code = unsafe SSL_read(ssl, &room, 1)
        let reason = unsafe SSL_get_error(ssl, code)
        if code > 0 || reason != SSL_ERROR_WANT_READ { hasFailed = true }
    }

    func send(_ bytes: [UInt8]) -> Bool {
        ERR_clear_error()
        return unsafe SSL_write(ssl, bytes, CInt(bytes.count)) == CInt(bytes.count)
    }
}

/// Both ends of a connection within this process; no call on them waits.
func descriptorPair() throws -> (Descriptor, Descriptor) {
    let pair = try socketPair()
    let ends = (Descriptor(pair.0), Descriptor(pair.1))
    for end in [ends.0, ends.1] { try end.setNonBlocking() }
    return ends
}
