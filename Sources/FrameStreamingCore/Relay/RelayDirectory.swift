/// The streams of a relay by their names, and the sender of each: a value without threads and clocks.
///
/// A stream exists as long as a sender sends it or a receiver waits for it.
struct RelayDirectory<Stream> {
    /// Where a stream's frames come from.
    enum Phase: Equatable {
        /// Receivers wait for it, and no sender has come so far.
        case awaited
        /// The sender with this number sends it.
        case carried(UInt64)
        /// Its sender was lost, at this time, and may come back.
        case interrupted(since: MonotonicTime)
        /// It has ended, and is about to leave the directory. Nobody joins it.
        case ended
    }

    struct Entry {
        let stream: Stream
        /// Which of the streams of this name it is.
        let generation: UInt64
        var phase: Phase
        /// When its sender was lost; nil again with the first frame of the next.
        var lostAt: MonotonicTime?
        /// Receivers that have been told the stream, and are not added to it yet.
        var joining = 0
    }

    private(set) var entries: [String: Entry] = [:]
    private var lastNumber: UInt64 = 0
    /// The most streams.
    let limit: Int

    init(limit: Int) { self.limit = limit }

    /// The phase of a stream; nil = there is no such stream.
    func phase(of name: String) -> Phase? { entries[name]?.phase }

    /// Gives a sender its stream, and its number.
    ///
    /// - Parameters:
    ///   - displaces: Whether it takes the place of the one that is there.
    ///   - make: Makes a stream that is not there yet.
    /// - Throws: `alreadyExists` if another sender has the name; `busy` for one stream too many, or
    ///   while an ended stream of that name is still being closed.
    mutating func enter(
        _ name: String, displacing: Bool = false, _ make: (UInt64) throws(FrameStreamingError) -> Stream
    ) throws(FrameStreamingError) -> (stream: Stream, number: UInt64) {
        try checkEntry(name, displacing: displacing)
        let stream = try stream(name, isAwaited: false, make)
        lastNumber += 1
        entries[name]?.phase = .carried(lastNumber)
        return (stream, lastNumber)
    }

    /// Throws what ``enter(_:displacing:_:)`` would, and changes nothing.
    func checkEntry(_ name: String, displacing: Bool) throws(FrameStreamingError) {
        if case .carried = phase(of: name), !displacing { throw Self.taken(name) }
        try checkRoom(name, isAwaited: false)
    }

    /// Gives a receiver the stream that it asked for. ``joined(_:_:)`` must follow.
    ///
    /// - Parameters:
    ///   - name: The stream's name; empty = the only one that there is.
    ///   - waits: Whether it waits for a stream that does not exist yet.
    ///   - make: Makes a stream that is not there yet.
    /// - Throws: `notFound` for a stream that does not exist; `busy` as in ``enter(_:displacing:_:)``.
    mutating func join(
        _ name: String, waits: Bool, _ make: (String, UInt64) throws(FrameStreamingError) -> Stream
    ) throws(FrameStreamingError) -> (name: String, generation: UInt64, stream: Stream) {
        let name = try resolve(name, waits: waits)
        let stream = try stream(name, isAwaited: true) { (generation) throws(FrameStreamingError) in
            try make(name, generation)
        }
        entries[name]?.joining += 1
        return (name, entries[name]?.generation ?? 0, stream)
    }

    /// The stream that a receiver is given.
    ///
    /// - Parameter permitted: The streams that it may have, and is told of; nil = all.
    /// - Throws: As ``join(_:waits:_:)``.
    func resolve(_ name: String, waits: Bool, permitted: [String]? = nil) throws(FrameStreamingError) -> String {
        // Whoever may not have the stream is not told whether it exists.
        if let permitted, !name.isEmpty, !permitted.contains(name) { return name }
        let present = entries.filter { name, entry in
            entry.phase != .awaited && entry.phase != .ended && permitted?.contains(name) != false
        }.keys.sorted()
        if name.isEmpty {
            if present.count == 1 { return present[0] }
            throw FrameStreamingError(
                .notFound,
                present.isEmpty
                    ? "there is no stream yet: name the one to wait for"
                    : "there are \(present.count) streams: name one of them\(Self.list(present))")
        }
        if waits || present.contains(name) { return name }
        throw FrameStreamingError(
            .notFound,
            "there is no stream \(String(printable: name))\(Self.list(present)): wait for it, or name another")
    }

    private static func list(_ names: [String]) -> String {
        if names.isEmpty { return "" }
        let shown = names.prefix(8).map { String(printable: $0) }.joined(separator: ", ")
        return " (\(shown)\(names.count > 8 ? ", ..." : ""))"
    }

    /// Notes that a receiver was added to the stream, or could not be.
    mutating func joined(_ name: String, _ generation: UInt64) {
        if entries[name]?.generation == generation { entries[name]?.joining -= 1 }
    }

    /// Notes a frame of this sender: what was lost is back.
    mutating func noteFrame(of name: String, from number: UInt64) {
        if phase(of: name) == .carried(number) { entries[name]?.lostAt = nil }
    }

    /// Notes that the sender with this number is lost. Another may have taken its place.
    mutating func lose(_ name: String, _ number: UInt64, at now: MonotonicTime) {
        guard phase(of: name) == .carried(number) else { return }
        // One that has sent nothing is no return.
        let since = entries[name]?.lostAt ?? now
        entries[name]?.phase = .interrupted(since: since)
        entries[name]?.lostAt = since
    }

    /// Notes that the stream has ended: nobody joins it any more.
    mutating func end(_ name: String, _ generation: UInt64) {
        if entries[name]?.generation == generation { entries[name]?.phase = .ended }
    }

    /// Notes that this sender has ended the stream. Returns false, and nothing ends, if it is not the
    /// present one.
    mutating func end(_ name: String, by number: UInt64) -> Bool {
        guard phase(of: name) == .carried(number) else { return false }
        entries[name]?.phase = .ended
        return true
    }

    /// Ends a stream that nobody sends and nobody waits for.
    ///
    /// - Parameters:
    ///   - waiting: Whether receivers that came here wait for it.
    ///   - forwarded: Whether only others do, to which this side connects.
    ///   - patience: How long a lost sender is waited for on behalf of those.
    /// - Returns: Whether the stream has ended, now or before.
    mutating func endIfAbandoned(
        _ name: String, waiting: Bool, forwarded: Bool, patience: Duration, at now: MonotonicTime
    ) -> Bool {
        guard let entry = entries[name], entry.phase != .ended else { return true }
        guard entry.joining == 0, !waiting else { return false }
        switch entry.phase {
        case .carried:
            // A sender that has sent nothing may have the stream from those to whom it is forwarded.
            guard let since = entry.lostAt, forwarded, since.duration(to: now) >= patience else { return false }
            entries[name]?.phase = .ended
            return true
        case .interrupted(let since) where forwarded && since.duration(to: now) < patience: return false
        case .awaited, .interrupted, .ended:
            entries[name]?.phase = .ended
            return true
        }
    }

    /// Removes a stream that has ended.
    mutating func remove(_ name: String, _ generation: UInt64) {
        if entries[name]?.generation == generation { entries[name] = nil }
    }

    /// Throws `busy` for a stream that is just ending, and for one that is not there yet and would be one
    /// too many. Streams that are only waited for have places of their own, so that those who wait keep
    /// no sender out.
    func checkRoom(_ name: String, isAwaited: Bool) throws(FrameStreamingError) {
        if let entry = entries[name] {
            if entry.phase == .ended { throw Self.ending(name) }
            return
        }
        guard entries.values.count(where: { ($0.phase == .awaited) == isAwaited }) >= limit else { return }
        throw FrameStreamingError(
            .busy, "\(limit) streams are the relay's limit: end one, or raise it (RelayOptions.maximumStreams)",
            limit: .connections)
    }

    /// The stream of this name, which is made if it is missing.
    private mutating func stream(
        _ name: String, isAwaited: Bool, _ make: (UInt64) throws(FrameStreamingError) -> Stream
    ) throws(FrameStreamingError) -> Stream {
        try checkRoom(name, isAwaited: isAwaited)
        if let entry = entries[name] { return entry.stream }
        lastNumber += 1
        let generation = lastNumber
        let stream = try make(generation)
        entries[name] = Entry(stream: stream, generation: generation, phase: .awaited)
        return stream
    }

    static func ending(_ name: String) -> FrameStreamingError {
        FrameStreamingError(.busy, "the stream \(String(printable: name)) is just ending: try again in a moment")
    }

    private static func taken(_ name: String) -> FrameStreamingError {
        FrameStreamingError(
            .alreadyExists,
            "another sender has the stream \(String(printable: name)): name this one differently, or stop the other")
    }
}
