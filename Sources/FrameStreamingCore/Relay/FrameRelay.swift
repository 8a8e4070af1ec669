internal import FrameStreamingSystem

/// Passes streams on: from any number of senders, each with a stream of its own name, to any number of
/// receivers that ask for one by its name. Either may come first.
///
/// ```swift
/// let relay = try FrameRelay()
/// let listener = try TCPListener(relayingOn: "0.0.0.0:5600")
/// try listener.serve(relay, onError: { print($0) })
/// ```
///
/// Frames are passed on as they came: nothing is encoded again, and all receivers share one copy of the
/// bytes. A frame is taken from its sender when a receiver would be sent it at once, so no relay holds
/// frames that get old, and a stream without receivers hardly uses its link. The capture time keeps its
/// meaning over every relay, and its error grows with each; a frame knows the relays that it has
/// passed (``Frame/relays``), and a circle of relays is found by that.
///
/// A sender that is lost may come back, and its receivers get the news of both. A goodbye of the sender ends
/// the stream, with its words. All calls may come from any thread.
public final class FrameRelay: Sendable {
    private struct State {
        var outlets: [RelayStream.Outlet] = []
        var running = 0
        var isClosed = false
    }

    /// The relay's number, chosen at random: see ``Frame/relays``.
    public let number = UInt64.random(in: 1 ... .max)
    private let options: RelayOptions
    private let streams: Monitor<RelayDirectory<RelayStream>>
    private let state = Monitor(State())

    /// How long a sender that has sent nothing keeps its stream's name from another.
    static let grace = Duration.seconds(2)

    /// Makes a relay without streams.
    ///
    /// - Throws: `invalidArgument` for invalid options.
    public init(options: RelayOptions = RelayOptions()) throws(FrameStreamingError) {
        self.options = try options.validated()
        streams = Monitor(RelayDirectory(limit: options.maximumStreams))
    }

    deinit { for stream in all { stream.stop(.stopped("the relay was released")) } }

    private var all: [RelayStream] { streams.withLock { $0.entries.values.map(\.stream) } }

    // MARK: Senders

    /// Takes the frames of a sender, until its connection ends. Returns at once.
    ///
    /// - Parameters:
    ///   - transport: A connection whose peer sends. The relay owns it from here.
    ///   - stream: The stream's name here; nil = the one that the sender gives.
    /// - Throws: `invalidArgument` for a sender without a name; `alreadyExists` if another sender has
    ///   the stream; `busy` for one stream too many; `closed`; `system`. The sender is told.
    public func addSender(_ transport: any Transport, stream: String? = nil) throws(FrameStreamingError) {
        _ = try enter(transport, stream)
    }

    /// Works like ``addSender(_:stream:)``, and returns when that sender's connection has ended.
    ///
    /// It blocks. Never from a task: four of these on two cores deadlock. A task calls
    /// ``addSender(_:stream:)``, which does not wait.
    ///
    /// - Throws: As ``addSender(_:stream:)``.
    @available(*, noasync, message: "it blocks one of the few threads of all tasks: use 'addSender'")
    public func serveSender(_ transport: any Transport, stream: String? = nil) throws(FrameStreamingError) {
        let (stream, number) = try enter(transport, stream)
        stream.waitUntilOver(number)
    }

    private func enter(
        _ transport: any Transport, _ wanted: String?
    ) throws(FrameStreamingError) -> (RelayStream, UInt64) {
        let receiver = try FrameReceiver(
            codec: RelayCodec(), transport: transport, decode: nil, limits: options.limits)
        do throws(FrameStreamingError) {
            let name = try Self.name(wanted ?? transport.peer.stream)
            let (stream, number) = try streams.withLock { (streams) throws(FrameStreamingError) in
                let displaced = isReplaceable(streams.entries[name]?.stream)
                return try streams.enter(name, displacing: displaced) { (generation) throws(FrameStreamingError) in
                    try makeStream(name, generation)
                }
            }
            guard stream.take(receiver, number: number) else { throw RelayDirectory<RelayStream>.ending(name) }
            return (stream, number)
        } catch {
            receiver.close(.failed(error.message), consumed: false, limit: .seconds(1))
            throw error
        }
    }

    /// Whether a stream's sender is there for a while and has sent nothing: it may be one that gets the
    /// stream from here.
    private func isReplaceable(_ stream: RelayStream?) -> Bool {
        guard let carrier = stream?.carrier else { return false }
        return carrier.receiver.statistics.firstArrival == nil && carrier.since.duration(to: .now) > Self.grace
    }

    private static func name(_ given: String?) throws(FrameStreamingError) -> String {
        guard let given, !given.isEmpty else {
            throw FrameStreamingError(.invalidArgument, "the stream has no name, and a relay needs one: name it")
        }
        return given
    }

    /// Whether a sender would be given this stream now, for a handshake.
    ///
    /// - Throws: As ``addSender(_:stream:)``.
    package func checkSender(_ stream: String) throws(FrameStreamingError) {
        let name = try Self.name(stream)
        try streams.withLock { (streams) throws(FrameStreamingError) in
            try streams.checkEntry(name, displacing: isReplaceable(streams.entries[name]?.stream))
        }
    }

    // MARK: Receivers

    /// Sends a stream to a receiver, until its connection or the stream ends. Returns at once.
    ///
    /// - Parameters:
    ///   - transport: A connection whose peer receives. The relay owns it from here.
    ///   - stream: The stream's name; nil = the one that the receiver asks for; empty = the only one.
    ///   - waits: Whether the receiver waits for a stream that does not exist yet.
    /// - Throws: `notFound` for a stream that does not exist; `busy` for one stream too many;
    ///   `closed`; `system`. The receiver is told.
    public func addReceiver(
        _ transport: any Transport, stream: String? = nil, waits: Bool = true
    ) throws(FrameStreamingError) {
        do throws(FrameStreamingError) {
            try join(stream ?? transport.peer.stream ?? "", waits: waits) { (sender) throws(FrameStreamingError) in
                try sender.take(transport)
            }
        } catch {
            try? transport.finish(.failed(error.message), until: .after(.seconds(1)))
            transport.close()
            throw error
        }
    }

    /// Sends a stream to a receiver over connections that `provider` makes, until the stream ends.
    ///
    /// - Parameters:
    ///   - provider: Makes the connections, one after another.
    ///   - stream: The stream's name; empty = the only one.
    ///   - waits: Whether a stream is waited for that does not exist yet.
    /// - Throws: As ``addReceiver(_:stream:waits:)``.
    public func addReceiver(
        _ provider: any TransportProvider, stream: String, waits: Bool = true
    ) throws(FrameStreamingError) {
        try join(stream, waits: waits) { (sender) throws(FrameStreamingError) in try sender.add(provider) }
    }

    private func join(
        _ wanted: String, waits: Bool, _ add: (FrameSender) throws(FrameStreamingError) -> Void
    ) throws(FrameStreamingError) {
        let (name, generation, stream) = try streams.withLock { (streams) throws(FrameStreamingError) in
            try streams.join(wanted, waits: waits) { (name, generation) throws(FrameStreamingError) in
                try makeStream(name, generation)
            }
        }
        defer { streams.withLock { $0.joined(name, generation) } }
        try add(stream.sender)
    }

    /// The name of the stream that a receiver would be given now, for a handshake.
    ///
    /// - Parameter permitted: The streams that it may have; nil = all.
    /// - Throws: `notFound` for a stream that does not exist.
    package func checkReceiver(
        _ stream: String, waits: Bool, permitted: [String]?
    ) throws(FrameStreamingError) -> String {
        try streams.withLock { (streams) throws(FrameStreamingError) in
            let name = try streams.resolve(stream, waits: waits, permitted: permitted)
            try streams.checkRoom(name, isAwaited: true)
            return name
        }
    }

    /// Sends every stream, those that begin later included, over connections of its own: to another
    /// relay, or to a receiver that takes them all.
    ///
    /// A stream is sent on from its first frame on.
    ///
    /// - Parameter outlet: Makes the provider for the stream of this name. Called on the stream's
    ///   thread.
    public func forward(
        _ outlet: @escaping @Sendable (String) throws(FrameStreamingError) -> any TransportProvider
    ) {
        state.withLock { $0.outlets.append(outlet) }
        for stream in all { stream.forward() }
    }

    // MARK: All streams

    /// The streams, in the order of their names.
    public var summaries: [RelayStreamSummary] {
        streams.withLock { Array($0.entries) }.sorted { $0.key < $1.key }.map { name, entry in
            RelayStreamSummary(
                name: name, sender: entry.stream.carrier?.receiver.peer, isAwaited: entry.phase == .awaited,
                receiver: entry.stream.carrier?.receiver.statistics, summary: entry.stream.sender.summary)
        }
    }

    /// Ends all streams, tells both sides of each, and waits until all goodbyes are over. No
    /// peer enters any more.
    ///
    /// It blocks for 2 s at most.
    @available(*, noasync, message: "it blocks one of the few threads of all tasks: call it on a thread of its own")
    public func close(_ goodbye: Goodbye = .stopped("the relay was stopped")) {
        state.withLock { $0.isClosed = true }
        for stream in all { stream.stop(goodbye) }
        let _: Bool? = state.wait(until: Deadline.after(.seconds(2)).nanoseconds) { $0.running == 0 ? true : nil }
    }

    private func makeStream(_ name: String, _ generation: UInt64) throws(FrameStreamingError) -> RelayStream {
        try state.withLock { (state) throws(FrameStreamingError) in
            guard !state.isClosed else { throw FrameStreamingError(.closed, "the relay has ended: make another") }
            state.running += 1
        }
        do throws(FrameStreamingError) {
            let stream = try RelayStream(name, generation, relay: number, in: streams, options) { [state] in
                state.withLock { $0.outlets }
            }
            try stream.start { [state] in state.update { $0.running -= 1 } }
            return stream
        } catch {
            state.update { $0.running -= 1 }
            throw error
        }
    }
}

/// One stream of a relay, for a list.
public struct RelayStreamSummary: Sendable {
    /// The stream's name: a peer's word. Print it through `String(printable:)`.
    public let name: String
    /// The present sender; nil = there is none at the moment.
    public let sender: Peer?
    /// Whether receivers wait for a sender that has not come so far.
    public let isAwaited: Bool
    /// The figures of the present sender's connection.
    public let receiver: ReceiverStatistics?
    /// The figures of its receivers.
    public let summary: SenderSummary
}
