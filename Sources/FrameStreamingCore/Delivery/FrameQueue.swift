/// The frames of one receiver that are not in flight, in the order in which they are sent.
///
/// The order is: frames that a broken connection left unacknowledged, those that were taken
/// for encoding, those that wait. A frame that leaves the queue unsent is counted as
/// skipped before the one behind it.
struct FrameQueue<Frame: QueueableFrame>: Sendable {
    /// How far a frame has got.
    enum Stage: Sendable {
        /// It was sent over a connection that broke, and is sent again. The times are those of its
        /// first sending.
        case unacknowledged(bytes: Int, encodeTime: Int64, creditWait: Int64)
        /// An encoder has it.
        case encoding
        /// It is encoded, or needs no encoding, and is sent as soon as window and credit allow.
        case ready(bytes: Int, nanoseconds: Int64)
        /// It could not be encoded: it is counted when its turn comes, so that the frames before it
        /// are sent.
        indirect case failed(FrameStreamingError)
        /// It waits to be taken; a newer frame may replace it.
        case waiting
    }

    struct Entry: Sendable {
        /// The frame of the source, or what an encoder with memory made of it for this receiver.
        var frame: Frame
        /// Names the entry while an encoder has its frame. No two entries of a queue have the same.
        var ticket: UInt64
        let captured: MonotonicTime
        /// Frames that the source gave and that are never sent, since the entry before this one.
        var skipped: UInt32
        var stage: Stage
        /// Whether it was sent over a connection that broke, and must be encoded again.
        var isEncodedAgain = false

        /// Whether it was sent over a connection that broke.
        var isUnacknowledged: Bool {
            if case .unacknowledged = stage { true } else { isEncodedAgain }
        }
    }

    /// Whether the encoder has memory.
    let hasMemory: Bool
    private(set) var entries: [Entry] = []
    /// Frames that are never sent, since the last entry.
    private var skippedSinceLast: UInt32 = 0
    private var lastTicket: UInt64 = 0

    init(hasMemory: Bool = false) { self.hasMemory = hasMemory }

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }
    /// How far the first frame has got; nil = the queue is empty.
    @inline(__always)
    var firstStage: Stage? { entries.isEmpty ? nil : entries[0].stage }

    /// The pixel format in which the first frame would be sent now; nil =
    /// there is none, or it is not encoded.
    var firstFormat: PixelFormat? {
        switch firstStage {
        case .ready, .unacknowledged: entries[0].frame.sentFormat
        default: nil
        }
    }

    /// The index of the first frame that may still be replaced; nil = none waits.
    @inline(__always)
    var firstWaiting: Int? {
        for index in entries.indices {
            if case .waiting = entries[index].stage { return index }
        }
        return nil
    }

    /// How many frames were taken and not sent.
    var taken: Int {
        var count = 0
        for index in entries.indices {
            switch entries[index].stage {
            case .unacknowledged: break
            case .encoding, .ready, .failed: count += 1
            case .waiting: return count
            }
        }
        return count
    }

    /// How many frames wait that a connection before left unacknowledged.
    var unacknowledged: Int {
        entries.firstIndex { !$0.isUnacknowledged } ?? entries.count
    }

    // MARK: Adding

    mutating func append(_ frame: Frame) {
        lastTicket &+= 1
        entries.append(
            Entry(
                frame: frame, ticket: lastTicket, captured: frame.captured, skipped: skippedSinceLast, stage: .waiting))
        skippedSinceLast = 0
    }

    /// Counts a frame of the source that does not enter the queue.
    mutating func skipOne() { skip(1) }

    /// Counts frames of the source that do not enter the queue.
    mutating func skip(_ count: UInt32) { skippedSinceLast &+= count }

    /// Puts frames in front that a broken connection left unacknowledged, oldest first.
    ///
    /// What an encoder with memory made of a frame is useless on another connection, whose receiver
    /// begins without memory: it is encoded again, with all behind it.
    mutating func putBack(_ sent: some Collection<Entry>) {
        entries.insert(contentsOf: sent, at: 0)
        for index in entries.indices { encodeAgain(at: index) }
    }

    /// Has the first frame encoded again, because what an encoder with memory made of it is of no use.
    mutating func encodeFirstAgain() { encodeAgain(at: 0) }

    private mutating func encodeAgain(at index: Int) {
        guard let original = entries[index].frame.original ?? unfinished(at: index) else { return }
        if case .unacknowledged = entries[index].stage { entries[index].isEncodedAgain = true }
        // An encoding that is under way comes too late.
        lastTicket &+= 1
        entries[index].ticket = lastTicket
        entries[index].frame = original
        entries[index].stage = .waiting
    }

    /// A frame that an encoder with memory has, or has failed with.
    private func unfinished(at index: Int) -> Frame? {
        switch entries[index].stage {
        case .encoding, .failed: hasMemory ? entries[index].frame : nil
        default: nil
        }
    }

    // MARK: Encoding

    enum Taken {
        case mustBeEncoded(Entry)
        /// It was compressed from the start, or was encoded for another receiver.
        case isEncoded(FrameEncoding)
    }

    /// Takes the frame at `index`, the first that waits, for encoding.
    mutating func take(at index: Int) -> Taken {
        guard let encoding = entries[index].frame.encoding else {
            entries[index].stage = .encoding
            return .mustBeEncoded(entries[index])
        }
        entries[index].stage = Self.stage(of: encoding)
        return .isEncoded(encoding)
    }

    /// Notes the result of encoding. Returns false if that frame is no longer in the queue.
    ///
    /// - Parameter result: What an encoder with memory made of the frame.
    mutating func noteEncoding(_ ticket: UInt64, _ encoding: FrameEncoding, as result: Frame? = nil) -> Bool {
        let index = entries.firstIndex { entry in
            if case .encoding = entry.stage { entry.ticket == ticket } else { false }
        }
        guard let index else { return false }
        entries[index].stage = Self.stage(of: encoding)
        if let result { entries[index].frame = result }
        return true
    }

    private static func stage(of encoding: FrameEncoding) -> Stage {
        switch encoding {
        case .success(let bytes, let nanoseconds, _): .ready(bytes: bytes, nanoseconds: nanoseconds)
        case .failure(let error): .failed(error)
        }
    }

    // MARK: Removing

    /// Takes the first entry out, because it is sent.
    mutating func removeFirst() -> Entry {
        // It is nearly always the only entry, so nothing has to move up.
        entries.count == 1 ? entries.removeLast() : entries.removeFirst()
    }

    /// Takes an entry out that is never sent.
    mutating func drop(at index: Int) {
        let skipped = 1 &+ entries.remove(at: index).skipped
        if index < entries.count { entries[index].skipped &+= skipped } else { skippedSinceLast &+= skipped }
    }

    /// Takes out the oldest frames that wait and were captured before `time`. Returns how many
    /// there were.
    mutating func dropWaiting(capturedBefore time: MonotonicTime) -> Int {
        var count = 0
        while let index = firstWaiting, entries[index].captured < time {
            drop(at: index)
            count += 1
        }
        return count
    }

    /// Takes out the frames that were taken for encoding, because they are old when there is a
    /// connection again. Returns how many there were.
    mutating func dropTaken() -> Int {
        let count = taken
        let first = unacknowledged
        for _ in 0..<count { drop(at: first) }
        return count
    }

    /// Takes out the first `count` frames that a connection before left unacknowledged: the
    /// receiver had consumed them.
    mutating func removeUnacknowledged(_ count: Int) { entries.removeFirst(min(count, unacknowledged)) }

    mutating func removeAll() { entries.removeAll() }
}
