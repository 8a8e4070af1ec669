internal import COpenSSL
internal import FrameStreamingCore
internal import FrameStreamingSystem
internal import FrameStreamingTCP

/// The credentials of one moment, and OpenSSL's context for them. A reload makes a new one, so
/// that tickets of the one before are worth nothing.
///
/// Unsafe code: the context is made in the init, freed in the deinit, and not changed in between.
/// OpenSSL's contexts may be used by any thread.
@safe final class TLSContext: @unchecked Sendable {
    let context: OpaquePointer
    /// The keys by their identities; empty with certificates.
    let keys: [String: PreSharedKey]
    let certificates: TLSCertificates?
    /// The SHA-256 of this side's certificate; nil = it has none.
    let fingerprint: [UInt8]?
    let tickets = TicketStore()

    static let ioMethod = IOMethod()
    /// For how many seconds a peer may come back by tickets, until it has to prove itself anew.
    static let longestSession = 86_400

    /// With keys: one a peer for a listener, and one for a side that connects.
    init(keys: [PreSharedKey]) throws(FrameStreamingError) {
        guard !keys.isEmpty else { throw FrameStreamingError(.invalidArgument, "there is no key: name at least one") }
        var named: [String: PreSharedKey] = [:]
        for key in keys {
            guard named.updateValue(key, forKey: key.identity) == nil else {
                throw FrameStreamingError(
                    .invalidArgument,
                    "two keys have the identity \(key.identity): make one of them anew, with another identity")
            }
        }
        unsafe context = try Self.make()
        self.keys = named
        certificates = nil
        fingerprint = nil
        unsafe fs_tls_no_tickets(context)
        // A peer that comes with a certificate instead of the key is refused: no authority is trusted.
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        unsafe SSL_CTX_set_psk_use_session_callback(context, useKey)
        unsafe SSL_CTX_set_psk_find_session_callback(context, findKey)
    }

    convenience init(
        certificates: TLSCertificates, longestSession: Int = longestSession
    ) throws(FrameStreamingError) {
        try self.init(certificates, own: nil, path: nil, longestSession)
    }

    /// With a certificate of its own making.
    ///
    /// - Parameter path: Its file, for messages.
    convenience init(own: OwnCertificate, path: String?) throws(FrameStreamingError) {
        try self.init(TLSCertificates(), own: own, path: path, Self.longestSession)
    }

    private init(
        _ certificates: TLSCertificates, own: OwnCertificate?, path: String?, _ longestSession: Int
    ) throws(FrameStreamingError) {
        unsafe context = try Self.make()
        keys = [:]
        self.certificates = certificates
        do throws(FrameStreamingError) {
            if let own {
                try unsafe own.load(into: context, path: path)
            } else {
                try unsafe certificates.load(into: context)
            }
        } catch {
            unsafe SSL_CTX_free(context)
            throw error
        }
        var digest = [UInt8](repeating: 0, count: 32)
        fingerprint = unsafe fs_tls_fingerprint(context, &digest) == 1 ? digest : nil
        unsafe fs_tls_tickets(context, longestSession, keepTicket)
    }

    private static func make() throws(FrameStreamingError) -> OpaquePointer {
        fs_tls_begin()
        guard let context = unsafe SSL_CTX_new(TLS_method()) else {
            throw FrameStreamingError(.system, "OpenSSL could not be set up: there is no memory")
        }
        guard unsafe fs_tls_prepare(context) == 1 else {
            unsafe SSL_CTX_free(context)
            throw FrameStreamingError(.unsupported, "this OpenSSL has no TLS 1.3: install OpenSSL 3")
        }
        return unsafe context
    }

    deinit { unsafe SSL_CTX_free(context) }
}

/// How a session reads and writes its socket, and the memory that all sessions share for it. Made
/// once, and never freed.
///
/// Unsafe code: OpenSSL only reads the method, and the memory has a lock.
@safe struct IOMethod: @unchecked Sendable {
    let pointer: OpaquePointer?
    let rooms: UnsafeMutablePointer<fs_tls_rooms>?

    init() {
        unsafe pointer = fs_tls_io_method()
        unsafe rooms = fs_tls_rooms_new()
    }
}

/// The stream of a session, which OpenSSL's callbacks find in it.
///
/// Unsafe code: a stream puts itself into its session, and outlives the session's calls.
private func stream(of ssl: OpaquePointer?) -> TLSStream? {
    guard let pointer = unsafe SSL_get_ex_data(ssl, 0) else { return nil }
    return unsafe Unmanaged<TLSStream>.fromOpaque(pointer).takeUnretainedValue()
}

/// Called by OpenSSL on the side that connects: gives it the key.
private func useKey(
    _ ssl: OpaquePointer?, _ digest: OpaquePointer?, _ identity: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ count: UnsafeMutablePointer<Int>?, _ session: UnsafeMutablePointer<OpaquePointer?>?
) -> CInt {
    unsafe session?.pointee = nil
    guard let ssl = unsafe ssl, let stream = unsafe stream(of: ssl), let key = stream.context.keys.values.first else {
        return 0
    }
    // After a HelloRetryRequest only keys with the hash of the chosen suite are asked for.
    guard
        let made = unsafe key.secret.withBytes({ secret in
            unsafe fs_tls_key_session(ssl, secret.baseAddress?.assumingMemoryBound(to: UInt8.self), secret.count)
        })
    else { return 0 }
    if let digest = unsafe digest,
        unsafe SSL_CIPHER_get_handshake_digest(SSL_SESSION_get0_cipher(made)) != digest
    {
        unsafe SSL_SESSION_free(made)
        return 1
    }
    unsafe identity?.pointee = UnsafePointer(stream.identityBytes)
    unsafe count?.pointee = key.identity.utf8.count
    unsafe session?.pointee = made
    return 1
}

/// Called by OpenSSL on the side that listens: finds the key of the identity that the peer names.
private func findKey(
    _ ssl: OpaquePointer?, _ identity: UnsafePointer<UInt8>?, _ count: Int,
    _ session: UnsafeMutablePointer<OpaquePointer?>?
) -> CInt {
    unsafe session?.pointee = nil
    guard let ssl = unsafe ssl, let stream = unsafe stream(of: ssl), let identity = unsafe identity else { return 0 }
    let bytes = unsafe UnsafeBufferPointer(start: identity, count: min(count, PreSharedKey.longestIdentity + 1))
    let name = unsafe String(decoding: bytes, as: UTF8.self)
    stream.noteIdentity(name)
    // Without a session OpenSSL goes on as with a peer without a key, and finds nothing in common.
    guard let key = stream.context.keys[name], unsafe key.identity.utf8.elementsEqual(bytes),
        key.identity.utf8.count == count
    else { return 1 }
    unsafe session?.pointee = key.secret.withBytes { secret in
        unsafe fs_tls_key_session(ssl, secret.baseAddress?.assumingMemoryBound(to: UInt8.self), secret.count)
    }
    return 1
}

/// Called by OpenSSL on the side that connects, for each ticket: keeps it for the next connection.
private func keepTicket(_ ssl: OpaquePointer?, _ session: OpaquePointer?) -> CInt {
    guard let ssl = unsafe ssl, let session = unsafe session, let stream = unsafe stream(of: ssl),
        let host = stream.host
    else { return 0 }
    // A copy: OpenSSL takes the session of a connection that broke for one that must not be resumed.
    guard let copy = unsafe SSL_SESSION_dup(session) else { return 0 }
    let peer = TicketStore.Peer(host: host, address: stream.address)
    if unsafe !stream.context.tickets.keep(copy, for: peer) { unsafe SSL_SESSION_free(copy) }
    return 0
}

/// The tickets with which a side that connects comes back without another proof by certificates.
/// Each is used once, so that it does not tell that two connections are of one side.
///
/// Unsafe code: each session in here is a reference that is given out or freed once.
final class TicketStore: Sendable {
    @safe private struct Ticket: @unchecked Sendable {
        let session: OpaquePointer
    }

    /// Whose ticket it is, by the bytes of the names: strings are equal that are written differently,
    /// and a certificate's names are not.
    struct Peer: Hashable {
        private let host: [UInt8]
        private let address: [UInt8]

        init(host: String, address: String) {
            self.host = Array(host.utf8)
            self.address = Array(address.utf8)
        }
    }

    private let tickets = Monitor<[Peer: Ticket]>([:])
    private let uses = Monitor(0)
    /// How many connections the peers have resumed by a ticket of here.
    var resumptions: Int { uses.withLock { $0 } }
    /// One listener has one, so that more means a name that changes.
    private static let most = 64

    func keep(_ session: OpaquePointer, for peer: Peer) -> Bool {
        let ticket = unsafe Ticket(session: session)
        let (isKept, before): (Bool, Ticket?) = tickets.withLock { tickets in
            guard tickets[peer] != nil || tickets.count < Self.most else { return (false, nil) }
            return (true, tickets.updateValue(ticket, forKey: peer))
        }
        if let before { unsafe SSL_SESSION_free(before.session) }
        return isKept
    }

    func noteResumption() { uses.withLock { $0 += 1 } }

    /// Gives the peer's ticket to a session that begins.
    func use(in ssl: OpaquePointer, for peer: Peer) {
        guard let ticket = tickets.withLock({ $0.removeValue(forKey: peer) }) else { return }
        unsafe SSL_set_session(ssl, ticket.session)
        unsafe SSL_SESSION_free(ticket.session)
    }

    deinit {
        for ticket in tickets.withLock({ $0.values }) { unsafe SSL_SESSION_free(ticket.session) }
    }
}
