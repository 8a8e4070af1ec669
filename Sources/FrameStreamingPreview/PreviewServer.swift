public import FrameStreamingCore
internal import FrameStreamingSystem

/// Serves live streams over HTTP: a page for browsers, and the same frames for other programs.
///
/// ```swift
/// let preview = try PreviewServer(on: "8080", codec: JPEGCodec())
/// print(preview.address)  // http://127.0.0.1:8080/
/// let stream = preview.stream(of: receiver.peer)
/// while let received = try receiver.next() { stream.show(received, from: receiver.peer) }
/// ```
///
/// | address | content |
/// | --- | --- |
/// | `/` | the page |
/// | `/api/streams` | the streams and their figures, as JSON |
/// | `/api/live` | the page's WebSocket: frames, each acknowledged when it was drawn |
/// | `/streams/NAME.mjpg` | the stream as `multipart/x-mixed-replace`: `<img>`, VLC, ffmpeg |
/// | `/streams/NAME.jpg` | the newest frame; `?scale=1/2`, `1/4`, `1/8` for a smaller one |
/// | `/stream`, `/?action=stream` | the only stream, or of several the first live one |
/// | `/snapshot`, `/?action=snapshot` | its newest frame |
/// | `/metrics` | the figures for Prometheus |
///
/// The server never waits for a viewer, and queues nothing for it: a viewer gets the newest frame
/// when it has finished the one before.
///
/// By default only this machine can connect: the server listens on loopback, and refuses a
/// browser's request for another host name. Others need a token and encryption
/// (``PreviewOptions/token``, ``PreviewOptions/security``).
public final class PreviewServer: Sendable {
    private let registry: StreamRegistry
    private let viewers: ViewerLoop
    private let listener: PreviewListener
    private let endpoint: ListeningEndpoint
    private let access: AccessCheck
    private let scheme: String
    /// The address of the page, such as `http://127.0.0.1:8080/`. It has the machine's name if the
    /// server listens on all addresses.
    public let address: String
    /// The port; the system chooses it where 0 was requested.
    public let port: Int

    /// All addresses of the page: ``address``, and behind it, if the server listens on all
    /// addresses, the numeric ones that other machines can reach at this moment, such as a phone in
    /// the same network, which may not know this machine's name.
    public var addresses: [String] {
        [address] + endpoint.reachableHosts.map { "\(scheme)://\($0):\(port)/" }
    }

    /// A command that makes a stream appear, which the page shows with a button to copy it while
    /// there is no stream; nil, the default, = none.
    ///
    /// `{host}` in it stands for this machine: the page puts in the host by which it was opened, or
    /// one that other machines can reach if it was opened on this machine.
    public var invitation: String? {
        get { registry.invitation.withLock { $0 } }
        set { registry.invitation.withLock { $0 = newValue } }
    }

    /// Returns how often peers have reached each limit, for `/metrics`; nil, the default, = it is not
    /// reported. Called for each request of them, on the server's thread.
    public var limitCounts: (@Sendable () -> LimitCounts)? {
        get { registry.limitCounts.withLock { $0 } }
        set { registry.limitCounts.withLock { $0 = newValue } }
    }

    /// Creates a server, and returns when it listens.
    ///
    /// - Parameters:
    ///   - address: `[HOST:]PORT`. HOST is a numeric address of this machine or `localhost`, which
    ///     is also the default. `0.0.0.0` and `[::]` mean all addresses. Port 0 lets the system
    ///     choose.
    ///   - codec: Encodes frames that are not JPEG, and scales frames: `JPEGCodec()`.
    ///   - options: Limits, quality and security.
    /// - Throws: `notPermitted` where the address is not loopback and the options have neither both
    ///   a token and security nor ``PreviewOptions/insecure``, or the port is below 1024;
    ///   `addressInUse`, `invalidArgument`.
    public init(
        on address: String = "0", codec: any FrameCodec, options: PreviewOptions = PreviewOptions()
    ) throws(FrameStreamingError) {
        guard (1...100).contains(options.quality) else {
            throw FrameStreamingError(
                .invalidArgument, "JPEG quality must be 1 (smallest) to 100 (best), not \(options.quality)")
        }
        guard options.maximumViewers >= 1 else {
            throw FrameStreamingError(
                .invalidArgument, "maximumViewers must be at least 1, not \(options.maximumViewers)")
        }
        guard options.maximumStreams >= 1, options.maximumPictureByteCount >= 1 else {
            throw FrameStreamingError(
                .invalidArgument,
                "maximumStreams and maximumPictureByteCount must be at least 1, not \(options.maximumStreams) and \(options.maximumPictureByteCount)"
            )
        }
        let endpoint = try ListeningEndpoint(address, isOpen: options.isForOthers)
        self.endpoint = endpoint
        try options.security?.connections.checkForBrowsers()
        let encoder = PreviewEncoder(codec: codec, quality: options.quality)
        do throws(SystemError) {
            viewers = try ViewerLoop(
                encoder, maximumViewers: options.maximumViewers, maximumKeptBytes: options.maximumPictureByteCount)
        } catch {
            throw FrameStreamingError(error, remedy: "the preview's thread cannot be woken")
        }
        let viewers = viewers
        registry = StreamRegistry(
            remembersEnded: options.remembersEnded, maximumStreams: options.maximumStreams,
            maximumPictureByteCount: options.maximumPictureByteCount, onPicture: { viewers.signal() },
            onChange: { viewers.noteChange() })
        let socket = try ListeningSocket(endpoint)
        let isSecure = options.security != nil
        access = AccessCheck(options.token, isSecure: isSecure, port: socket.port)
        let routes = Routes(
            registry: registry, viewers: viewers, stills: Stills(encoder),
            origins: SameOriginCheck(
                isLoopback: endpoint.isLoopback, isSecure: isSecure, isClosed: access.isClosed),
            access: access)
        port = socket.port
        scheme = isSecure ? "https" : "http"
        let page = "\(scheme)://\(endpoint.shownHost):\(socket.port)/"
        self.address = page
        listener = try PreviewListener(socket, routes, options.security.map { HTTPEncryption($0, address: page) })
    }

    /// Checks an address as ``init(on:codec:options:)`` would, without listening: for a program
    /// that refuses a bad command line before it starts.
    ///
    /// - Parameters:
    ///   - address: As for ``init(on:codec:options:)``.
    ///   - isForOthers: Whether other machines may connect: with both a token and encryption, or as
    ///     ``PreviewOptions/insecure``.
    /// - Throws: `invalidArgument`; `notPermitted` for an address that other machines reach.
    public static func check(_ address: String, isForOthers: Bool = false) throws(FrameStreamingError) {
        _ = try ListeningEndpoint(address, isOpen: isForOthers)
    }

    deinit { close() }

    /// Returns a stream with a name of the caller's choice.
    ///
    /// If an earlier stream with that name has ended, or its connection broke, it continues as this
    /// one.
    ///
    /// - Parameters:
    ///   - name: The name to show. Characters that cannot be shown are removed, and `-2` is
    ///     appended where another stream has the name.
    ///   - peer: The origin of the frames, to show.
    public func stream(named name: String, peer: String = "") -> PreviewStream {
        stream(named: name, peer: peer, session: 0)
    }

    /// Returns the stream of a sender, under the name that the sender gave it. Without a name, as
    /// with the text handshake, it has the sender's host.
    ///
    /// - Parameter peer: `FrameReceiver.peer`. A session that returns over another connection is
    ///   the same stream.
    public func stream(of peer: Peer) -> PreviewStream {
        var host = peer.address[...]
        if let colon = host.lastIndex(of: ":") { host = host[..<colon] }
        let name = peer.stream ?? ""
        return stream(named: name.isEmpty ? "from \(host)" : name, peer: peer.address, session: peer.session)
    }

    /// Makes a link that signs one browser in, without asking its user for the token.
    ///
    /// It works once. Then the browser has a cookie, which it keeps for 30 days after its last visit,
    /// and which is worthless when the token is another. Without ``PreviewOptions/token`` it is the
    /// page's address. A link is a secret as long as it works: show it only to the person it is for.
    ///
    /// - Parameter time: How long the link works if it is not used. At most 16 links work at once:
    ///   one more makes the oldest worthless.
    public func signInLink(validFor time: Duration = .seconds(3600)) -> String {
        let page = shownPage
        guard access.isClosed else { return page }
        return "\(page)?code=\(access.makeCode(until: MonotonicTime.now.advanced(by: time)))"
    }

    /// The page's address that most machines can open.
    private var shownPage: String { addresses.dropFirst().first ?? address }

    private func stream(named name: String, peer: String, session: UInt64) -> PreviewStream {
        let (entry, owner) = registry.claim(name, peer: peer, session: session)
        return PreviewStream(
            entry, owner: owner, address: "\(shownPage)streams/\(RequestPath.escaped(entry.name)).mjpg")
    }

    /// The number of viewers at this moment.
    public var viewerCount: Int { viewers.counts.viewers }

    /// Stops listening, and tells viewers that the server ends. Returns within a few seconds. Any
    /// thread may call it, repeatedly.
    public func close() {
        listener.close()
        viewers.close()
    }
}
