import FrameStreamingCore

/// Finds the frames in a stream of JPEGs, whatever is between and inside them.
///
/// A fault costs the frame that has it, and the next FF D8 FF begins another. A frame without EOI
/// is accepted if its data are complete, and gets its EOI.
///
/// A value without an input: it examines the bytes that ``InputWindow`` has.
struct MJPEGParser: Sendable {
    /// What comes next in the window, which begins with it.
    enum Find: Sendable {
        /// A frame, whose bytes are still in the window.
        case frame(Picture)
        /// A damaged frame. It is not in the window any more.
        case damaged(FrameStreamingError)
        /// More bytes are needed.
        case nothing
    }

    /// A complete frame at the start of the window.
    struct Picture: Sendable {
        let header: JPEGHeader
        let byteCount: Int
        /// The bytes to drop with it.
        let used: Int
        let needsEnd: Bool
    }

    /// The largest frame in bytes.
    let maximumFrameByteCount: Int
    /// The bytes that were skipped since the last frame.
    private(set) var skipped = 0
    /// Whether the skipped bytes have the data of a frame whose start is missing.
    private var isWithoutStart = false
    /// False behind a damaged frame, of which the rest is skipped.
    private var countsMissingStart = true
    private var hasStarted = false
    private var walk: JPEGFrameWalk?
    private var lastSize: JPEGFrameWalk.Size?

    init(maximumFrameByteCount: Int) { self.maximumFrameByteCount = maximumFrameByteCount }

    /// Begins again, at the start of the input.
    mutating func restart() {
        walk = nil
        skipped = 0
        isWithoutStart = false
        countsMissingStart = true
    }

    /// Looks for the next frame.
    ///
    /// - Parameter isLast: Whether the input ends behind the window.
    mutating func next(in window: inout InputWindow, isLast: Bool) -> Find {
        while true {
            if walk == nil {
                let isFound = findStart(in: &window)
                if isWithoutStart, isFound || isLast && hasStarted {
                    isWithoutStart = false
                    return .damaged(.damagedJPEG("it has no start (FF D8 FF)"))
                }
                guard isFound else {
                    guard isLast, window.count >= 2, window[0] == 0xFF, window[1] == 0xD8 else { return .nothing }
                    let rest = window.count
                    window.drop(rest)
                    return .damaged(FrameStreamingError(.truncatedInput, "the input ends \(rest) bytes into it"))
                }
            }
            guard var current = walk.take() else { return .nothing }
            let verdict = window.withBytes { current.advance(over: $0, isLast: isLast) }
            switch verdict {
            case .incomplete:
                let limit = mostBytes(current.header)
                guard window.count <= limit else {
                    window.drop(2)
                    countsMissingStart = false
                    return .damaged(
                        FrameStreamingError(
                            .limitExceeded, "it is larger than \(limit) bytes: has the end been lost?"))
                }
                walk = current
                return .nothing
            case .startsAgain(let next):
                window.drop(next)
            case .damaged(let error, let next):
                window.drop(next)
                countsMissingStart = false
                return .damaged(error)
            case .whole(let count, let header):
                let picture = Picture(header: header, byteCount: count, used: count, needsEnd: false)
                return accepted(picture, &window)
            case .withoutEnd(let used, let header):
                return withoutEnd(used, header, &window)
            }
        }
    }

    private mutating func withoutEnd(_ used: Int, _ header: JPEGHeader, _ window: inout InputWindow) -> Find {
        let length = window.withBytes { Self.withoutPartHeader($0.extracting(0..<used)) }
        let byteCount: Int
        switch window.withBytes({ JPEGCompleteness(of: $0.extracting(0..<length)) }) {
        case .cut:
            window.drop(used)
            countsMissingStart = false
            return .damaged(
                FrameStreamingError(.truncatedInput, "it ends after \(length) bytes, before its last block: it was cut")
            )
        case .complete(let count): byteCount = count
        case .unknown: byteCount = length
        }
        return accepted(Picture(header: header, byteCount: byteCount, used: used, needsEnd: true), &window)
    }

    /// A complete frame, unless it is too large.
    private mutating func accepted(_ picture: Picture, _ window: inout InputWindow) -> Find {
        guard picture.byteCount <= maximumFrameByteCount else {
            window.drop(picture.used)
            return .damaged(
                FrameStreamingError(
                    .limitExceeded, "it has \(picture.byteCount) bytes, over the limit of \(maximumFrameByteCount)"))
        }
        lastSize = JPEGFrameWalk.Size(picture.header)
        return .frame(picture)
    }

    /// A frame whose end does not come would take all memory. Coefficients take at most four bytes
    /// a sample; the rest is for profiles and thumbnails.
    private func mostBytes(_ header: JPEGHeader?) -> Int {
        let samples = header.map { $0.width * $0.height * $0.componentCount } ?? 0
        return min(maximumFrameByteCount, 32 << 20 + 4 * samples)
    }

    /// Returns the length without the header of a multipart's next part.
    private static func withoutPartHeader(_ bytes: RawSpan) -> Int {
        // A part's header is a few short lines of text.
        var index = bytes.byteCount
        let least = max(0, index - 1024)
        var start = index
        while index > least {
            let byte = bytes.byte(at: index - 1)
            guard (0x20...0x7E).contains(byte) || byte == 0x0D || byte == 0x0A || byte == 0x09 else { break }
            index -= 1
            guard index + 1 < bytes.byteCount, byte == 0x2D, bytes.byte(at: index + 1) == 0x2D else { continue }
            start = index
        }
        guard start < bytes.byteCount else { return start }
        // The line break in front of the boundary belongs to it.
        if start > 0, bytes.byte(at: start - 1) == 0x0A { start -= 1 }
        if start > 0, bytes.byte(at: start - 1) == 0x0D { start -= 1 }
        return start
    }

    /// Skips to the next FF D8 FF; false if the window has none. Up to three last bytes, which may
    /// be the beginning of one, stay.
    private mutating func findStart(in window: inout InputWindow) -> Bool {
        let isAtStart = !hasStarted
        let (found, index, sawScan) = window.withBytes { bytes -> (Bool, Int, Bool) in
            var sawScan = false
            var index = bytes.firstOfFF(from: 0)
            while index < bytes.byteCount {
                switch JPEGFrameWalk.isStart(bytes, at: index) {
                case true?: return (true, index, sawScan)
                case nil: return (false, index, sawScan)
                case false?: break
                }
                let marker = bytes.byte(at: index + 1)
                // An input may begin behind its first frame's header, in the data.
                sawScan = sawScan || marker == 0xDA || isAtStart && (marker == 0xD9 || marker == 0)
                index = bytes.firstOfFF(from: index + 1)
            }
            return (false, bytes.byteCount, sawScan)
        }
        isWithoutStart = isWithoutStart || sawScan && countsMissingStart
        window.drop(index)
        skipped += index
        guard found else { return false }
        skipped = 0
        countsMissingStart = true
        hasStarted = true
        walk = JPEGFrameWalk(lastSize: lastSize)
        return true
    }
}
