public import FrameStreamingCore
internal import FrameStreamingSystem

/// A page in the browser that shows live streams, and the same pictures for other programs, over HTTP.
///
/// ```swift
/// let preview = try PreviewServer(on: "8080", codec: JPEGCodec())
/// print(preview.address)   // http://127.0.0.1:8080/
/// let stream = preview.stream(of: receiver.peer)
/// while let received = try receiver.next() { stream.show(received, from: receiver.peer) }
/// ```
///
/// | address | what it is |
/// | --- | --- |
/// | `/` | the page |
/// | `/api/streams` | the streams and their figures, as JSON |
/// | `/api/live` | the page's WebSocket: pictures, each acknowledged when it was drawn |
/// | `/streams/NAME.mjpg` | the pictures as they come (`multipart/x-mixed-replace`), for `<img>`, VLC, ffmpeg, OpenCV |
/// | `/streams/NAME.jpg` | the newest picture; `?scale=1/2`, `1/4`, `1/8` for a smaller one |
/// | `/metrics` | the figures for Prometheus |
///
/// A viewer is never waited for, and nothing queues up for one: it gets the newest picture when it is through with the one before.
///
/// It is for the machine it runs on unless it is told otherwise: what it listens on is loopback, and a browser's request that was meant for
/// another name is refused. Nothing is encrypted, and nobody is asked who they are.
public final class PreviewServer: Sendable {
    private let registry: StreamRegistry
    private let viewers: ViewerLoop
    private let listener: PreviewListener
    /// Where the page is, such as `http://127.0.0.1:8080/`. Where it listens on every address it has the machine's name.
    public let address: String
    /// The port: the one that the system chose where 0 was asked for.
    public let port: Int

    /// Begins to listen, and returns when it does.
    ///
    /// - Parameters:
    ///   - address: `[HOST:]PORT`: an address of this machine as a number, or `localhost`, which is also meant where none is named.
    ///     `0.0.0.0` and `[::]` are all that it has. Port 0 lets the system choose.
    ///   - codec: Makes JPEGs of pictures that are none, and smaller ones of any: `JPEGCodec()`.
    ///   - options: The rest.
    /// - Throws: `notPermitted` where the address is not loopback and ``PreviewOptions/insecure`` is not set, or the port is below 1024;
    ///   `addressInUse`, `invalidArgument`.
    public init(
        on address: String = "0", codec: any FrameCodec, options: PreviewOptions = PreviewOptions()
    ) throws(FrameStreamingError) {
        guard (1...100).contains(options.quality) else {
            throw FrameStreamingError(
                .invalidArgument, "a quality of \(options.quality) cannot be: 1 (smallest) to 100 (best)")
        }
        guard options.maximumViewers >= 1 else {
            throw FrameStreamingError(
                .invalidArgument, "at most \(options.maximumViewers) viewers: nobody could look, so 1 or more")
        }
        guard options.maximumStreams >= 1, options.maximumPictureBytes >= 1 else {
            throw FrameStreamingError(
                .invalidArgument,
                "at most \(options.maximumStreams) streams and \(options.maximumPictureBytes) bytes of pictures: nothing could be shown, so 1 or more of each"
            )
        }
        let endpoint = try ListeningEndpoint(address, insecure: options.insecure)
        let pictures = PictureEncoding(codec: codec, quality: options.quality)
        do throws(SystemError) {
            viewers = try ViewerLoop(
                pictures, maximumViewers: options.maximumViewers, maximumKeptBytes: options.maximumPictureBytes)
        } catch {
            throw FrameStreamingError(error, remedy: "the preview's thread cannot be woken")
        }
        let viewers = viewers
        registry = StreamRegistry(
            remembersEnded: options.remembersEnded, maximumStreams: options.maximumStreams,
            maximumPictureBytes: options.maximumPictureBytes, onPicture: { viewers.signal() },
            onChange: { viewers.noteChange() })
        let routes = Routes(
            registry: registry, viewers: viewers, stills: Stills(pictures),
            access: Guard(isLoopback: endpoint.isLoopback))
        listener = try PreviewListener(endpoint, routes)
        port = listener.port
        self.address = "http://\(endpoint.shownHost):\(listener.port)/"
    }

    /// Refuses what ``init(on:codec:options:)`` would refuse of an address, without listening: for command lines.
    package static func check(_ address: String, insecure: Bool) throws(FrameStreamingError) {
        _ = try ListeningEndpoint(address, insecure: insecure)
    }

    deinit { close() }

    /// A stream, by a name of the caller's choice.
    ///
    /// A name that nobody shows pictures under at the moment, because its stream ended or its connection broke, is the same stream come back.
    ///
    /// - Parameters:
    ///   - name: For people: what cannot be shown is taken out, and `-2` is put behind one that somebody else has.
    ///   - peer: Where the pictures come from, for people.
    public func stream(named name: String, peer: String = "") -> PreviewStream {
        stream(named: name, peer: peer, session: 0)
    }

    /// A stream that a sender sends, by the name that it gave it; by its host where it gave none, as with the text handshake.
    ///
    /// - Parameter peer: `FrameReceiver.peer`. A session that comes back over another connection is the same stream.
    public func stream(of peer: Peer) -> PreviewStream {
        var host = peer.address[...]
        if let colon = host.lastIndex(of: ":") { host = host[..<colon] }
        let name = peer.stream ?? ""
        return stream(named: name.isEmpty ? "from \(host)" : name, peer: peer.address, session: peer.session)
    }

    private func stream(named name: String, peer: String, session: UInt64) -> PreviewStream {
        let (tile, owner) = registry.enter(name, peer: peer, session: session)
        return PreviewStream(tile, owner: owner)
    }

    /// The programs and pages that look at this moment.
    public var viewerCount: Int { viewers.counts.viewers }

    /// Stops listening and tells viewers goodbye. Returns within a few seconds. From any thread, again and again.
    public func close() {
        listener.close()
        viewers.close()
    }
}
