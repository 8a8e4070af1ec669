internal import FrameStreamingCore

/// The handshake of either side: HELLO, then WELCOME or REJECT. It has no I/O: it takes bytes and
/// returns what to do.
struct BinaryHandshake {
    /// What to do next.
    enum Action {
        /// Both sides agree. Send the bytes first. The rest of the input belongs to the connection.
        case established(Agreement, reply: [UInt8])
        /// There is no connection. Send the bytes first.
        case failed(FrameStreamingError, reply: [UInt8])
    }

    /// What the two sides have agreed on.
    struct Agreement: Hashable {
        var peer: Hello
        var stream: String?
        var session: UInt64
        var resumedFrom: UInt64
        /// The first credit, which the receiving side has named.
        var creditThrough: UInt64
    }

    private enum Side { case connecting, accepting }

    private let side: Side
    private let own: Hello
    private let secured: SecuredPeer?
    private let consumed: (UInt64) throws(FrameStreamingError) -> UInt64
    private let session: (UInt64) -> UInt64
    private let admit: (UInt64) throws(FrameStreamingError) -> Void
    /// Nil = this side's own stream.
    private let stream: ((Hello) throws(FrameStreamingError) -> String)?
    private var parser: MessageParser

    /// - Parameters:
    ///   - secured: What the peer's credential permits; nil = everything.
    ///   - own: This side's HELLO: its session as a sender, or the one it received last with the
    ///     number of frames.
    ///   - session: Sender that accepts: returns the session for a receiver that names its last
    ///     one.
    ///   - admit: Called with a sender's session for a peer that fits, before the answer is sent.
    ///     What it throws turns the peer away.
    ///   - stream: Returns the stream's name for this side's answer; nil = that of `own`. What it throws
    ///     turns the peer away.
    ///   - consumed: Receiver that accepts: returns how many frames of a session were consumed.
    ///     What it throws turns the peer away.
    static func connecting(_ own: Hello) -> BinaryHandshake {
        BinaryHandshake(
            side: .connecting, own: own, secured: nil, consumed: { _ in 0 }, session: { $0 }, admit: { _ in },
            stream: nil, parser: MessageParser(allowed: [.welcome, .reject], maximumFrameByteCount: 0))
    }

    static func accepting(
        _ own: Hello, from secured: SecuredPeer? = nil, session: ((UInt64) -> UInt64)? = nil,
        admit: @escaping (UInt64) throws(FrameStreamingError) -> Void = { _ throws(FrameStreamingError) in },
        stream: ((Hello) throws(FrameStreamingError) -> String)? = nil,
        consumed: @escaping (UInt64) throws(FrameStreamingError) -> UInt64
    ) -> BinaryHandshake {
        BinaryHandshake(
            side: .accepting, own: own, secured: secured, consumed: consumed, session: session ?? { _ in own.session },
            admit: admit, stream: stream,
            parser: MessageParser(allowed: [.hello], maximumFrameByteCount: 0))
    }

    /// The bytes with which the connecting side begins.
    func opening() -> [UInt8] { said(own).marshal(.hello) }

    /// The message without a sender's formats. They are for its own decision: version 1 does not
    /// carry them.
    private func said(_ hello: Hello) -> Hello {
        var hello = hello
        if isSender { hello.pixelFormats = [] }
        return hello
    }

    private var isSender: Bool { own.role == TCPRole.sender.wireCode }

    /// Takes bytes until there is something to do; nil if more are needed.
    mutating func take(from input: inout InputBuffer) -> Action? {
        do throws(FrameStreamingError) {
            guard let event = try parser.take(from: &input) else { return nil }
            switch (side, event) {
            case (.accepting, .message(.hello(let hello))): return answer(hello)
            case (.connecting, .message(.welcome(let welcome))): return accept(welcome)
            case (.connecting, .message(.reject(let reject))):
                return .failed(reject.error, reply: [])
            default: throw .violation("a message that is not part of a handshake")
            }
        } catch {
            return .failed(error, reply: side == .accepting ? Reject(.malformed, error.message).marshal() : [])
        }
    }

    private func answer(_ hello: Hello) -> Action {
        var welcome = own
        welcome.version = Hello.version
        do throws(FrameStreamingError) {
            if let stream { welcome.stream = try stream(hello) }
            if let (code, words) = objection(to: hello, stream: isSender ? welcome.stream : hello.stream) {
                return .failed(
                    FrameStreamingError(.rejected, "turned away: \(words)"), reply: Reject(code, words).marshal())
            }
            try admit(isSender ? 0 : hello.session)
            if isSender {
                welcome.session = session(hello.session)
                welcome.lastConsumed = welcome.session != 0 && hello.session == welcome.session ? hello.lastConsumed : 0
            } else {
                welcome.session = hello.session
                welcome.lastConsumed = hello.session != 0 ? try consumed(hello.session) : 0
            }
        } catch {
            return .failed(
                FrameStreamingError(error.code, "turned away: \(error.message)", limit: error.limit),
                reply: Reject(error).marshal())
        }
        return .established(
            agreement(peer: hello, settled: welcome, stream: welcome.stream), reply: said(welcome).marshal(.welcome))
    }

    private func accept(_ welcome: Hello) -> Action {
        if let (_, words) = objection(to: welcome, stream: isSender ? own.stream : welcome.stream)
            ?? objection(toAgreed: welcome.version)
        {
            return .failed(FrameStreamingError(.rejected, "the peer does not fit: \(words)"), reply: [])
        }
        var settled = welcome
        // A receiver without a memory says 0. Nothing is known of that, or of another session.
        if isSender, welcome.session != own.session { settled.session = 0 }
        return .established(agreement(peer: welcome, settled: settled, stream: own.stream), reply: [])
    }

    /// - Parameter stream: The name that this side gives.
    private func agreement(peer: Hello, settled: Hello, stream: String) -> Agreement {
        Agreement(
            peer: peer, stream: peer.stream.isEmpty ? (stream.isEmpty ? nil : stream) : peer.stream,
            session: settled.session, resumedFrom: settled.session == 0 ? 0 : settled.lastConsumed,
            creditThrough: isSender ? peer.creditThrough : own.creditThrough)
    }

    /// WELCOME chooses the version, out of those that HELLO has offered.
    private func objection(toAgreed version: UInt16) -> (Reject.Code, String)? {
        if (own.minimumVersion...own.version).contains(version) { return nil }
        return (
            .version,
            "it chose protocol version \(version), and \(own.minimumVersion) to \(own.version) were offered: update this side, or correct the peer"
        )
    }

    private func objection(to peer: Hello, stream: String) -> (Reject.Code, String)? {
        if peer.minimumVersion > Hello.version || peer.version < Hello.version {
            return (
                .version,
                "protocol versions \(peer.minimumVersion) to \(peer.version) were offered, and this side speaks \(Hello.version): update the older side"
            )
        }
        if peer.criticalCapabilities != 0 {
            return (
                .capability,
                "it demands capabilities that this side does not have (bits \(peer.criticalCapabilities)): update this side, or turn them off in the peer"
            )
        }
        guard (1...2).contains(peer.role) else {
            return (.role, "the role \(peer.role) is unknown: 1 sends, 2 receives")
        }
        guard peer.role != own.role else {
            return (.role, "both sides want to be the \(isSender ? "sender" : "receiver"): one must be the other")
        }
        if let words = secured?.objection(peerIsSender: !isSender, stream: stream) { return (.permission, words) }
        return objectionToFrames(of: peer)
    }

    /// Refuses a peer if no frame could be sent over the connection.
    private func objectionToFrames(of peer: Hello) -> (Reject.Code, String)? {
        let (sender, receiver) = isSender ? (own, peer) : (peer, own)
        if receiver.maximumFrameByteCount == 0 {
            return (.frames, "the receiver takes no image of more than 0 bytes: raise its limit")
        }
        let (sent, taken) = (sender.pixelFormats, receiver.pixelFormats)
        if sent.isEmpty || taken.isEmpty || sent.contains(where: taken.contains) { return nil }
        let (has, wants) = (sent.map(\.description), taken.map(\.description))
        return (
            .frames,
            "the receiver takes \(wants.joined(separator: ", ")) only, and the sender has \(has.joined(separator: ", ")): choose a format that both have"
        )
    }
}
