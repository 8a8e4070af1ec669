internal import COpenSSL
internal import FrameStreamingCore
internal import FrameStreamingSystem
internal import FrameStreamingTCP
internal import Glibc

/// One TLS session over a connected socket.
///
/// OpenSSL's session serves both directions and one thread at a time, so a lock is held during each
/// call, none of which waits: reads end when the socket is empty, and writes collect encrypted bytes
/// that ``flush()`` passes on.
///
/// Unsafe code: the session and what belongs to it live from init to deinit, and are used under the
/// lock only. Each call passes the pointer and the length of the same memory.
@safe final class TLSStream: SecuredStream, @unchecked Sendable {
    private struct State {
        /// Whether the handshake has begun.
        var hasBegun = false
        var isComplete = false
        /// The peer's bytes have ended.
        var hasEnded = false
        /// Why nothing more can be read.
        var failure: FrameStreamingError?
        var mayHaveMore = false
        /// Encrypted bytes in a row that brought no data.
        var silent = 0
        /// Records that were written.
        var records = 0
    }

    let context: TLSContext
    /// The host that this side connected to; nil for the side that listens.
    let host: String?
    let address: String
    /// Whether the peer is a browser, which has to prove nothing.
    private let isOfBrowser: Bool
    /// Keeps the socket open as long as the session uses it.
    private let socket: Descriptor
    private let ssl: OpaquePointer
    private let io: UnsafeMutablePointer<fs_tls_io>
    /// The identity of this side's key, as OpenSSL reads it during the handshake.
    let identityBytes: UnsafeMutablePointer<UInt8>
    private let state = Monitor(State())
    /// Set by a callback, under the lock of ``state``.
    private let namedIdentity = Monitor<String?>(nil)
    private let proven = Monitor(SecuredPeer(identity: nil))

    /// The largest record (RFC 8446, 5.1).
    private static let record = 16_384
    /// Encrypted bytes that are collected before they are passed on: eight records, the most for
    /// which the shared memory has room. Two of them would let the peer begin earlier, by 20 us, and
    /// cost 13 % more CPU time of both sides together.
    private static let batch = 128 << 10
    /// Bytes of one read or write at most: another thread waits no longer for the lock.
    private static let longestTurn = 256 << 10
    /// Encrypted bytes that one call takes beyond its data: several records.
    private static let extra = 64 << 10
    /// Encrypted bytes without data after which the peer is let go. A record has 16 KiB, a ticket
    /// and a key update less.
    private static let mostSilent = 64 << 10
    /// Records under one key: a quarter of what AES-GCM is safe for (RFC 8446, 5.5).
    private static let recordsOfKey = 1 << 22

    init(
        _ socket: Descriptor, _ context: TLSContext, host: String?, address: String, isOfBrowser: Bool = false
    ) throws(FrameStreamingError) {
        guard let ssl = unsafe SSL_new(context.context) else {
            throw FrameStreamingError(.system, "OpenSSL has no memory for a connection", subject: address)
        }
        let method = TLSContext.ioMethod
        guard let rooms = unsafe method.rooms,
            let io = unsafe fs_tls_attach(ssl, method.pointer, rooms, socket.raw)
        else {
            unsafe SSL_free(ssl)
            throw FrameStreamingError(.system, "OpenSSL has no memory for a connection", subject: address)
        }
        self.context = context
        self.host = host
        self.address = address
        self.isOfBrowser = isOfBrowser
        self.socket = socket
        unsafe self.ssl = ssl
        unsafe self.io = io
        let identity = Array((context.keys.values.first?.identity ?? "").utf8)
        unsafe identityBytes = .allocate(capacity: identity.count + 1)
        for (index, byte) in identity.enumerated() { unsafe identityBytes[index] = byte }
        unsafe identityBytes[identity.count] = 0
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        try begin()
    }

    deinit {
        unsafe SSL_free(ssl)
        unsafe identityBytes.deallocate()
    }

    private func begin() throws(FrameStreamingError) {
        let certificates = context.certificates
        guard let host else {
            unsafe SSL_set_accept_state(ssl)
            if isOfBrowser {
                unsafe fs_tls_for_browser(ssl)
            } else if let certificates {
                unsafe SSL_set_verify(
                    ssl,
                    certificates.authorities == nil
                        ? SSL_VERIFY_NONE : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
            }
            return
        }
        unsafe SSL_set_connect_state(ssl)
        guard certificates != nil else { return }
        unsafe SSL_set_verify(ssl, SSL_VERIFY_PEER, nil)
        unsafe SSL_set_hostflags(
            ssl, CUnsignedInt(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        // An address is compared with the addresses in the certificate, and is no name to send.
        // A link-local one may name its interface, which no certificate does.
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), String(host.prefix { $0 != "%" })) == 1 {
            ERR_clear_error()
        } else {
            guard !host.isEmpty, unsafe SSL_set1_host(ssl, host) == 1, unsafe fs_tls_name_server(ssl, host) == 1 else {
                throw FrameStreamingError(
                    .invalidArgument, "the host is no name that a certificate can have", subject: address)
            }
        }
        unsafe context.tickets.use(in: ssl, for: TicketStore.Peer(host: host, address: address))
    }

    var peer: SecuredPeer { proven.withLock { $0 } }
    var mayHaveMore: Bool { state.withLock { $0.mayHaveMore } }

    /// When the first connection of this session was made, in nanoseconds of the calendar; 0 = it has
    /// had no ticket. For tests.
    var sessionStart: Int64 {
        state.withLock { _ in unsafe fs_tls_session_start(SSL_get_session(ssl)) }
    }

    /// Notes the identity that the peer names. For the callback that looks for its key.
    func noteIdentity(_ identity: String) { namedIdentity.withLock { $0 = identity } }

    // MARK: The handshake

    func continueHandshake() throws(FrameStreamingError) -> SecuredHandshakeStep {
        try state.withLock { state throws(FrameStreamingError) in
            if !state.isComplete {
                ERR_clear_error()
                // A side that connects only says its part at first: the caller looks at what the peer said
                // before this reads it, and names another protocol.
                unsafe io.pointee.left = host != nil && !state.hasBegun ? 0 : 2 * Self.extra
                state.hasBegun = true
                let code = unsafe SSL_do_handshake(ssl)
                if code != 1 {
                    let reason = unsafe SSL_get_error(ssl, code)
                    guard reason == SSL_ERROR_WANT_READ else {
                        let error = handshakeFailure()
                        // The peer learns why, if the socket takes it now.
                        _ = unsafe fs_tls_flush(io)
                        throw error
                    }
                    return try passOn() ? .wantsInput : .wantsOutput
                }
                let peer = try provenPeer()
                proven.withLock { $0 = peer }
                state.isComplete = true
                // Bytes behind the handshake may have come with it.
                state.mayHaveMore = true
            }
            return try passOn() ? .complete : .wantsOutput
        }
    }

    private func handshakeFailure() -> FrameStreamingError {
        let verification = unsafe SSL_get_verify_result(ssl)
        let failure = failure()
        if host == nil, failure.isOfPlainPeer { unsafe fs_tls_refuse_plain(ssl) }
        if !failure.isAlert, let error = brokenSocket {
            guard host != nil else { return error }
            return FrameStreamingError(
                .connectionFailed,
                "the peer ended the connection during the TLS handshake: check that it has a key or certificates, or it is busy or has ended",
                subject: address, errno: error.errno)
        }
        let certificate =
            failure.reason == Int(SSL_R_CERTIFICATE_VERIFY_FAILED) && verification != Int(X509_V_OK)
            ? unsafe String(cString: X509_verify_cert_error_string(verification)) : nil
        return failure.handshakeError(identity: namedIdentity.withLock { $0 }, certificate: certificate)
    }

    /// Takes OpenSSL's reason, which it keeps for each thread.
    private func failure() -> TLSFailure {
        TLSFailure(
            reason: Int(fs_tls_take_reason()), listens: host == nil, usesCertificates: context.certificates != nil,
            address: address)
    }

    /// The error if the socket has failed or ended; nil otherwise.
    private var brokenSocket: FrameStreamingError? {
        let code = unsafe io.pointee.code
        if code != 0 { return FrameStreamingError(lost: SystemError("recv", code: code), at: address) }
        guard unsafe io.pointee.ended != 0 else { return nil }
        return FrameStreamingError(
            .endedWithoutGoodbye, "the peer left during the TLS handshake: it was ended, or looks for another program",
            subject: address)
    }

    /// Who the peer is, by its key or its certificate.
    private func provenPeer() throws(FrameStreamingError) -> SecuredPeer {
        guard unsafe SSL_version(ssl) == TLS1_3_VERSION else {
            throw FrameStreamingError(.protocolViolation, "the peer does not speak TLS 1.3", subject: address)
        }
        guard let certificates = context.certificates else {
            // OpenSSL counts a session of a pre-shared key as resumed.
            let identity = host == nil ? namedIdentity.withLock { $0 } : context.keys.keys.first
            guard unsafe SSL_session_reused(ssl) == 1, let identity, let key = context.keys[identity] else {
                throw FrameStreamingError(
                    .notAuthenticated, "the peer has not used a key that this side knows", subject: address)
            }
            // The limits are those of the side that connects.
            guard host == nil else { return SecuredPeer(identity: identity) }
            return SecuredPeer(
                identity: identity, isSender: key.role.map { $0 == .sender }, streams: key.streams)
        }
        guard let certificate = unsafe SSL_get1_peer_certificate(ssl) else {
            guard host == nil, certificates.authorities == nil || isOfBrowser else {
                throw FrameStreamingError(.notAuthenticated, "the peer has no certificate", subject: address)
            }
            return SecuredPeer(identity: nil)
        }
        defer { unsafe X509_free(certificate) }
        // A ticket may outlive the certificate that it was given for.
        guard unsafe SSL_get_verify_result(ssl) == Int(X509_V_OK), unsafe fs_tls_is_current(certificate) == 1 else {
            throw FrameStreamingError(
                .notAuthenticated, "the peer's certificate is not valid any more: renew it", subject: address)
        }
        if unsafe host != nil && SSL_session_reused(ssl) == 1 { context.tickets.noteResumption() }
        var room = [UInt8](repeating: 0, count: 256)
        let count = unsafe room.withUnsafeMutableBufferPointer {
            unsafe fs_tls_name(certificate, $0.baseAddress, CInt($0.count))
        }
        return SecuredPeer(identity: String(decoding: room.prefix(Int(count)), as: UTF8.self))
    }

    // MARK: Bytes

    func receive(into bytes: inout MutableRawSpan, at offset: Int) throws(FrameStreamingError) -> Int? {
        unsafe try bytes.withUnsafeMutableBytes { room throws(FrameStreamingError) in
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: room[offset...])
            return try state.withLock { state throws(FrameStreamingError) in try unsafe read(into: room, &state) }
        }
    }

    private func read(
        into room: UnsafeMutableRawBufferPointer, _ state: inout State
    ) throws(FrameStreamingError) -> Int? {
        if let failure = state.failure { throw failure }
        if state.hasEnded { return 0 }
        var filled = 0
        let limit = min(room.count, Self.longestTurn)
        let budget = limit + Self.extra
        unsafe io.pointee.left = budget
        while filled < limit {
            var count = 0
            ERR_clear_error()
            let code = unsafe SSL_read_ex(ssl, room.baseAddress.map { unsafe $0 + filled }, limit - filled, &count)
            if code == 1 {
                filled += count
                continue
            }
            if unsafe SSL_get_error(ssl, code) == SSL_ERROR_WANT_READ {
                state.mayHaveMore = false
                if filled > 0 {
                    state.silent = 0
                    return filled
                }
                state.silent += budget - Int(unsafe io.pointee.left)
                guard state.silent > Self.mostSilent else { return nil }
                let failure = FrameStreamingError(
                    .protocolViolation, "the peer sends encrypted messages without data: check what it is",
                    subject: address)
                state.failure = failure
                throw failure
            }
            noteEnd(&state)
            if filled == 0, let failure = state.failure { throw failure }
            return filled
        }
        state.silent = 0
        state.mayHaveMore = unsafe SSL_has_pending(ssl) == 1
        return filled
    }

    /// Notes why nothing more can be read. A caller that got bytes in this read must read again.
    private func noteEnd(_ state: inout State) {
        state.mayHaveMore = true
        let failure = failure()
        let code = unsafe io.pointee.code
        // An alert ends the peer's bytes as well.
        if failure.isAlert {
            state.failure = failure.streamError
        } else if code != 0 {
            state.failure = FrameStreamingError(lost: SystemError("recv", code: code), at: address)
        } else if unsafe SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 || io.pointee.ended != 0 {
            // An end without close_notify may be a cut by somebody on the way. The protocols have
            // goodbyes of their own, and an end without one is an error there.
            state.hasEnded = true
        } else {
            state.failure = failure.streamError
            // The alert that tells the peer.
            _ = unsafe fs_tls_flush(io)
        }
    }

    func send(_ bytes: RawSpan) throws(FrameStreamingError) -> Int? {
        unsafe try bytes.withUnsafeBytes { bytes throws(FrameStreamingError) in
            try state.withLock { state throws(FrameStreamingError) in try unsafe write(bytes, &state) }
        }
    }

    private func write(
        _ bytes: UnsafeRawBufferPointer, _ state: inout State
    ) throws(FrameStreamingError) -> Int? {
        var taken = 0
        let limit = min(bytes.count, Self.longestTurn)
        // A write takes none of the peer's bytes: a reader would wait for them in vain.
        unsafe io.pointee.left = 0
        while taken < limit {
            if unsafe fs_tls_collected(io) >= Self.batch, try !passOn() { return taken > 0 ? taken : nil }
            var count = 0
            ERR_clear_error()
            let code = unsafe SSL_write_ex(
                ssl, bytes.baseAddress.map { unsafe $0 + taken }, min(Self.record, limit - taken), &count)
            guard code == 1 else { throw failure().streamError }
            taken += count
            state.records += 1
            if state.records % Self.recordsOfKey == 0 { unsafe SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) }
        }
        return taken
    }

    func flush() throws(FrameStreamingError) -> Bool {
        try state.withLock { _ throws(FrameStreamingError) in try passOn() }
    }

    func endWriting() {
        state.withLock { state in
            guard state.isComplete, state.failure == nil else { return }
            ERR_clear_error()
            unsafe SSL_shutdown(ssl)
            _ = unsafe fs_tls_flush(io)
        }
    }

    /// Sends what was collected, without waiting; false = the socket is full. Needs the lock.
    private func passOn() throws(FrameStreamingError) -> Bool {
        let code = unsafe fs_tls_flush(io)
        guard code < 0 else { return code == 1 }
        throw FrameStreamingError(lost: SystemError("send", code: errno), at: address)
    }
}
