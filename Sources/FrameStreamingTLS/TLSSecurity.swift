public import FrameStreamingCore
package import FrameStreamingSystem
public import FrameStreamingTCP

/// TLS 1.3 for connections: both sides prove who they are, and no machine on the way can read or
/// change a frame.
///
/// ```swift
/// let tls = try TLSSecurity(keyFiles: ["camera.key"])
/// var options = TCPOptions()
/// options.security = tls.security
/// let listener = try TCPListener(on: "0.0.0.0:5600", role: .receiver, options: options)
/// ```
///
/// It fails closed: a peer with a wrong, missing or expired credential, or without TLS, is refused
/// within `TCPOptions.handshakeTimeout`, and neither side sends or shows anything.
public final class TLSSecurity: Sendable, CustomStringConvertible {
    private let load: @Sendable () throws(FrameStreamingError) -> TLSContext
    private let current: Monitor<TLSContext>

    /// Reads pre-shared keys from their files.
    ///
    /// - Parameter keyFiles: For a listener one file for each peer, with its limits. For a side that
    ///   connects exactly one.
    /// - Throws: As ``PreSharedKey/init(file:)``; `invalidArgument` without a file, or for two keys
    ///   of one identity.
    public convenience init(keyFiles: [String]) throws(FrameStreamingError) {
        try self.init { () throws(FrameStreamingError) in
            var keys: [PreSharedKey] = []
            for path in keyFiles { keys.append(try PreSharedKey(file: path)) }
            return try TLSContext(keys: keys)
        }
    }

    /// Uses keys that the program has from elsewhere.
    ///
    /// - Parameter keys: For a listener one for each peer, for a side that connects exactly one.
    /// - Throws: `invalidArgument` without a key, or for two keys of one identity.
    public convenience init(keys: [PreSharedKey]) throws(FrameStreamingError) {
        try self.init { () throws(FrameStreamingError) in try TLSContext(keys: keys) }
    }

    /// Reads certificates from their files.
    ///
    /// - Parameter certificates: The files.
    /// - Throws: `notFound`, `notPermitted` for a private key that others may read,
    ///   `malformedInput`, `invalidArgument`.
    public convenience init(certificates: TLSCertificates) throws(FrameStreamingError) {
        try self.init { () throws(FrameStreamingError) in try TLSContext(certificates: certificates) }
    }

    /// Makes a certificate of its own, which only itself vouches for: for a preview on a network that
    /// has no authority. A browser asks its user to accept it, who compares the ``fingerprint``.
    ///
    /// - Parameters:
    ///   - hosts: The names and addresses of this machine that the certificate has, beside those of
    ///     the machine itself.
    ///   - path: The file that keeps the certificate and its private key, so that it stays the same
    ///     when the program starts again. Only its owner may have any right to it; a missing one is
    ///     made. Nil = in memory only.
    /// - Throws: `notPermitted` for a file that others may use, `malformedInput` for one that has
    ///   something else, `notFound` for a missing directory; `system`.
    public convenience init(selfMadeFor hosts: [String], keptIn path: String? = nil) throws(FrameStreamingError) {
        let made: OwnCertificate? = path == nil ? try OwnCertificate(for: hosts) : nil
        try self.init { () throws(FrameStreamingError) in
            if let made { return try TLSContext(own: made, path: nil) }
            return try TLSContext(own: OwnCertificate(for: hosts, keptIn: path ?? ""), path: path)
        }
    }

    private init(
        _ load: @escaping @Sendable () throws(FrameStreamingError) -> TLSContext
    ) throws(FrameStreamingError) {
        self.load = load
        current = Monitor(try load())
    }

    /// Reads the files again. New connections use their new content, and open ones go on.
    ///
    /// A key that is no longer among them opens no new connection, also none with a ticket from
    /// before. May be called from any thread, such as one that waits for SIGHUP.
    ///
    /// - Throws: As the init. Then everything stays as it was.
    public func reload() throws(FrameStreamingError) {
        let next = try load()
        current.withLock { $0 = next }
    }

    /// The value for `TCPOptions.security`.
    public var security: TCPSecurity { TCPSecurity(self) }

    /// The value for `PreviewOptions.security`: HTTPS by this side's certificate, which needs none of
    /// a browser. A pre-shared key is nothing that a browser could have.
    public var webSecurity: WebSecurity { WebSecurity(self) }

    /// The SHA-256 of this side's certificate as browsers show it, such as `1F:03:...`; nil = it has
    /// none.
    public var fingerprint: String? {
        current.withLock { $0 }.fingerprint?.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }
            .joined(separator: ":")
    }

    /// How many connections were resumed by a ticket since the last reload. For tests.
    var resumptions: Int { current.withLock { $0 }.tickets.resumptions }

    /// What is used, without any secret: the identities of the keys, or that there are certificates.
    public var description: String {
        let context = current.withLock { $0 }
        if context.certificates != nil { return "TLS 1.3 with certificates" }
        return "TLS 1.3 with the \(context.keys.values.map(\.description).sorted().joined(separator: "; "))"
    }
}

extension TLSSecurity: ConnectionSecurity {
    package func check(isSender: Bool, stream: String, listens: Bool) throws(FrameStreamingError) {
        let context = current.withLock { $0 }
        if context.certificates != nil {
            guard !listens || context.fingerprint != nil else {
                throw FrameStreamingError(
                    .invalidArgument, "a side that listens needs a certificate and its private key")
            }
            return
        }
        if listens { return }
        guard context.keys.count == 1, let key = context.keys.values.first else {
            throw FrameStreamingError(
                .invalidArgument, "a side that connects needs exactly one key, and not \(context.keys.count)")
        }
        if let role = key.role, (role == .sender) != isSender {
            throw FrameStreamingError(
                .notPermitted,
                "the \(key): this side is a \(isSender ? "sender" : "receiver"), and needs another key")
        }
        if isSender, let streams = key.streams, !streams.contains(stream) {
            throw FrameStreamingError(
                .notPermitted,
                stream.isEmpty
                    ? "the \(key): this stream has no name, and needs one of those"
                    : "the \(key): the stream \(String(printable: stream)) needs another key")
        }
    }

    package func begin(
        _ socket: Descriptor, host: String?, address: String
    ) throws(FrameStreamingError) -> any SecuredStream {
        try TLSStream(socket, current.withLock { $0 }, host: host, address: address)
    }
}

extension TLSSecurity: WebEncryption {
    package func checkForBrowsers() throws(FrameStreamingError) {
        guard current.withLock({ $0 }).fingerprint != nil else {
            throw FrameStreamingError(
                .invalidArgument,
                "HTTPS needs a certificate and its private key: a browser has no pre-shared key, and an authority is none"
            )
        }
    }

    package func beginForBrowser(_ socket: Descriptor) throws(FrameStreamingError) -> any SecuredStream {
        try TLSStream(socket, current.withLock { $0 }, host: nil, address: "", isOfBrowser: true)
    }
}
