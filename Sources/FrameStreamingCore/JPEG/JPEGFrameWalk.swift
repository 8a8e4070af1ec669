/// Finds the end of one frame in a stream of JPEGs that may be damaged (MJPEG).
///
/// ``JPEGSegments`` accepts what the standard allows. This walk accepts what cameras write and
/// decoders show: bytes between segments, a missing EOI, a repeated SOI. A fault that
/// no decoder passes costs the frame, and the walk says where the search for the next one begins.
///
/// A segment's length may be wrong, and may then lead over the frames behind it. So a segment is
/// trusted only if a marker follows it. If none does, an SOI inside the segment begins the next
/// frame, unless it begins a thumbnail.
///
/// The bytes may arrive in pieces, as in ``JPEGSegments``. Untrusted bytes are safe.
package struct JPEGFrameWalk: Sendable {
    /// The verdict about the frame at the first byte.
    package enum Verdict: Sendable {
        /// More bytes are needed.
        case incomplete
        /// A frame with its EOI.
        case whole(byteCount: Int, JPEGHeader)
        /// A frame without EOI: the next SOI, or the end of the input, comes at `byteCount`.
        case withoutEnd(byteCount: Int, JPEGHeader)
        /// The frame begins later, at the second of two SOIs.
        case startsAgain(at: Int)
        /// The frame is lost. The search for another one goes on at `next`.
        case damaged(FrameStreamingError, next: Int)
    }

    private enum Place { case marker, scan }

    private var place = Place.marker
    private var position = 2
    private var sawHuffmanTables = false
    private var sawSegment = false
    /// The marker of the first segment.
    private var firstMarker: UInt8 = 0
    private var frameHeader: (marker: UInt8, range: Range<Int>)?
    /// The payload of the last segment, until a marker behind it confirms its length.
    private var doubtful: Range<Int>?
    /// Whether that segment may hold any bytes: a comment, or an application's.
    private var isFree = false
    /// The size of the frame before, which tells a frame from a thumbnail.
    private let lastSize: Size?
    /// The frame's header; nil until its first scan was reached.
    package private(set) var header: JPEGHeader?

    /// The size of a frame in pixels.
    package struct Size: Hashable, Sendable {
        let width: Int
        let height: Int

        package init(_ header: JPEGHeader) {
            width = header.width
            height = header.height
        }
    }

    /// Begins at the SOI of a frame.
    ///
    /// - Parameter lastSize: The size of the stream's frame before; nil = not known.
    package init(lastSize: Size?) { self.lastSize = lastSize }

    /// Continues as far as the bytes reach.
    ///
    /// - Parameters:
    ///   - bytes: The bytes from the frame's SOI on: those of the last call and more.
    ///   - isLast: Whether the input ends behind them. Then the verdict is not `incomplete`.
    package mutating func advance(over bytes: RawSpan, isLast: Bool) -> Verdict {
        while true {
            let step = place == .marker ? passMarker(bytes, isLast) : passData(bytes, isLast)
            if let verdict = step { return verdict }
        }
    }

    /// Whether a JPEG begins here: FF D8, FF, and the code of a marker that can follow. Nil = more
    /// bytes are needed.
    package static func isStart(_ bytes: RawSpan, at index: Int) -> Bool? {
        let known: [UInt8] = [0xFF, JPEGMarker.startOfImage, 0xFF]
        for (offset, byte) in known.enumerated() {
            guard index + offset < bytes.byteCount else { return nil }
            if bytes.byte(at: index + offset) != byte { return false }
        }
        guard index + 3 < bytes.byteCount else { return nil }
        let marker = bytes.byte(at: index + 3)
        return marker == 0xFF || marker == JPEGMarker.startOfImage || JPEGMarker.hasSegment(marker)
    }

    // MARK: Segments

    /// Passes one marker with its segment; nil = the walk goes on.
    private mutating func passMarker(_ bytes: RawSpan, _ isLast: Bool) -> Verdict? {
        let start = bytes.firstOfFF(from: position)
        if start > position {
            // Other bytes than a marker. Decoders skip them.
            if !isLast, let doubtful, isUndecided(doubtful, bytes) { return .incomplete }
            if let doubtful, let next = frame(in: doubtful, bytes, isWhole: true) {
                return .damaged(.damagedJPEG("the segment at byte \(doubtful.lowerBound) was cut"), next: next)
            }
            doubtful = nil
        }
        var code = start + 1
        while code < bytes.byteCount, bytes.byte(at: code) == 0xFF { code += 1 }
        // No byte is examined twice.
        position = min(code - 1, bytes.byteCount)
        guard code < bytes.byteCount else { return isLast ? end(bytes) : .incomplete }
        let marker = bytes.byte(at: code)
        if let doubtful, let next = startInside(doubtful, before: marker, bytes) {
            return .damaged(.damagedJPEG("the segment at byte \(doubtful.lowerBound) was cut"), next: next)
        }
        switch marker {
        case JPEGMarker.endOfImage:
            guard let header else {
                return .damaged(.damagedJPEG("it ends at byte \(position) without picture data"), next: code + 1)
            }
            return .whole(byteCount: code + 1, header)
        case JPEGMarker.startOfImage:
            switch Self.isStart(bytes, at: position) {
            case true?: break
            case false?: return skip(to: code + 1)
            case nil: return isLast ? end(bytes) : .incomplete
            }
            if let header { return .withoutEnd(byteCount: position, header) }
            if !sawSegment { return .startsAgain(at: position) }
            return .damaged(.damagedJPEG("another one begins at byte \(position), before its data"), next: position)
        case _ where JPEGMarker.hasSegment(marker):
            return passSegment(marker, from: code + 1, bytes, isLast)
        case JPEGMarker.losslessFrame where frameHeader == nil:
            return .damaged(
                FrameStreamingError(.unsupported, "it is JPEG-LS, which is not read: write ordinary JPEGs"),
                next: code + 1)
        default:
            return skip(to: code + 1)
        }
    }

    /// Returns where the next frame begins if the last segment was cut, and its length ends just
    /// behind that frame's SOI; nil = it was not cut.
    ///
    /// A comment, or an application's segment, may end with the same two bytes by chance. Then the
    /// marker behind it decides: the frames of a stream begin with the same one.
    private func startInside(_ segment: Range<Int>, before marker: UInt8, _ bytes: RawSpan) -> Int? {
        let start = segment.upperBound - 2
        guard segment.contains(start), bytes.byte(at: start) == 0xFF,
            bytes.byte(at: start + 1) == JPEGMarker.startOfImage, !isFree || marker == firstMarker
        else { return nil }
        return start
    }

    private mutating func skip(to next: Int) -> Verdict? {
        position = next
        return nil
    }

    private mutating func passSegment(
        _ marker: UInt8, from start: Int, _ bytes: RawSpan, _ isLast: Bool
    ) -> Verdict? {
        doubtful = nil
        guard start + 2 <= bytes.byteCount else { return isLast ? end(bytes) : .incomplete }
        if !sawSegment { firstMarker = marker }
        sawSegment = true
        // The segment was cut in front of its length or in the middle of it.
        for index in [start, start + 1] {
            switch Self.isStart(bytes, at: index) {
            case true?: return .damaged(.damagedJPEG("the segment at byte \(position) was cut"), next: index)
            case nil where !isLast: return .incomplete
            default: break
            }
        }
        let mayHoldThumbnail = JPEGMarker.applications.contains(marker) || marker == JPEGMarker.comment
        let length = Int(bytes.byte(at: start)) << 8 | Int(bytes.byte(at: start + 1))
        guard Self.isPlausible(length, marker, start, bytes) else {
            // Decoders pass an application's segment of length 0 or 1.
            if mayHoldThumbnail { return skip(to: start + 2) }
            return .damaged(.damagedJPEG("the segment at byte \(position) has a length of \(length)"), next: start)
        }
        let payload = start + 2..<start + length
        guard payload.upperBound <= bytes.byteCount else {
            guard isLast else { return .incomplete }
            doubtful = payload.lowerBound..<bytes.byteCount
            return end(bytes)
        }
        if !isLast, !mayHoldThumbnail, isUndecided(payload, bytes) { return .incomplete }
        if !mayHoldThumbnail, let next = frame(in: payload, bytes, isWhole: false) {
            return .damaged(.damagedJPEG("the segment at byte \(position) was cut"), next: next)
        }
        switch marker {
        case JPEGMarker.huffmanTables:
            sawHuffmanTables = true
        case JPEGMarker.startOfScan:
            guard let frameHeader else {
                return .damaged(.damagedJPEG("its data come before its frame header"), next: start)
            }
            do throws(FrameStreamingError) {
                if header == nil {
                    header = try JPEGHeader(
                        startOfFrame: frameHeader.marker, bytes.extracting(frameHeader.range),
                        hasHuffmanTables: sawHuffmanTables)
                }
            } catch {
                return .damaged(error, next: frameHeader.range.lowerBound)
            }
            place = .scan
        case JPEGMarker.arithmeticConditioning, JPEGMarker.extensions:
            break
        case JPEGMarker.framesAndTables:
            guard frameHeader == nil else {
                return .damaged(.damagedJPEG("there is a second frame header at byte \(position)"), next: start)
            }
            frameHeader = (marker, payload)
        default:
            break
        }
        doubtful = place == .marker ? payload : nil
        isFree = mayHoldThumbnail
        return skip(to: payload.upperBound)
    }

    /// Whether a segment of this kind can be this long. The tables and headers have limits far
    /// below 64 KiB, so that a wrong length is noticed before it leads over other frames.
    private static func isPlausible(_ length: Int, _ marker: UInt8, _ start: Int, _ bytes: RawSpan) -> Bool {
        switch marker {
        case JPEGMarker.quantizationTables: (2...2 + 8 * 129).contains(length)
        case JPEGMarker.huffmanTables: (2...2 + 16 * 273).contains(length)
        case JPEGMarker.startOfScan:
            [8, 10, 12, 14].contains(length)
                && (start + 2 >= bytes.byteCount || length == 6 + 2 * Int(bytes.byte(at: start + 2)))
        case JPEGMarker.restartInterval, JPEGMarker.numberOfLines: length == 4
        case JPEGMarker.arithmeticConditioning: (2...2 + 64).contains(length)
        case JPEGMarker.framesAndTables: (8...8 + 3 * 255).contains(length)
        default: length >= 2
        }
    }

    /// Returns where a frame begins in a segment whose length nothing confirms; nil = there is
    /// none. A JPEG that ends inside the segment is a thumbnail, unless it has the size of the
    /// frame before.
    ///
    /// - Parameter isWhole: Whether the segment is complete. If not, all that begins in it counts.
    private func frame(in range: Range<Int>?, _ bytes: RawSpan, isWhole: Bool) -> Int? {
        guard let range else { return nil }
        var index = range.lowerBound
        while true {
            index = bytes.firstOfFF(from: index)
            guard index < range.upperBound, let isStart = Self.isStart(bytes, at: index) else { return nil }
            guard isStart else {
                index += 1
                continue
            }
            var inner = JPEGSegments()
            guard isWhole, let length = try? inner.advance(over: bytes.extracting(index..<range.upperBound)),
                let header = inner.header, Size(header) != lastSize
            else { return index }
            index += length
        }
    }

    /// Whether it takes more bytes to tell if a frame begins at the end of a segment.
    private func isUndecided(_ segment: Range<Int>, _ bytes: RawSpan) -> Bool {
        segment.suffix(3).contains { Self.isStart(bytes, at: $0) == nil }
    }

    // MARK: Entropy-coded data

    /// Passes the data of a scan up to the frame's end or the next segment; nil = the walk goes on.
    private mutating func passData(_ bytes: RawSpan, _ isLast: Bool) -> Verdict? {
        while true {
            position = bytes.firstOfFF(from: position)
            guard position + 1 < bytes.byteCount else { return isLast ? end(bytes) : .incomplete }
            let marker = bytes.byte(at: position + 1)
            switch marker {
            case 0xFF:
                position += 1
            case JPEGMarker.endOfImage:
                place = .marker
                return nil
            case JPEGMarker.startOfImage:
                switch Self.isStart(bytes, at: position) {
                case true?:
                    place = .marker
                    return nil
                case false?: position += 2
                case nil: return isLast ? end(bytes) : .incomplete
                }
            case _ where JPEGMarker.hasSegment(marker):
                switch isSegment(marker, bytes) {
                case true?:
                    place = .marker
                    return nil
                case false?: position += 2
                case nil:
                    guard isLast else { return .incomplete }
                    position += 2
                }
            default:
                // Stuffing, a restart, or damage, which only the decoder can judge.
                position += 2
            }
        }
    }

    /// Whether a segment begins here, between two scans, and not some damaged data that look like
    /// one; nil = more bytes are needed.
    private func isSegment(_ marker: UInt8, _ bytes: RawSpan) -> Bool? {
        // No frame has a second frame header.
        let isFrameHeader =
            JPEGMarker.framesAndTables.contains(marker) && marker != JPEGMarker.huffmanTables
            && marker != JPEGMarker.arithmeticConditioning
        if isFrameHeader { return false }
        let start = position + 2
        guard start + 2 < bytes.byteCount else { return nil }
        let length = Int(bytes.byte(at: start)) << 8 | Int(bytes.byte(at: start + 1))
        guard Self.isPlausible(length, marker, start, bytes) else { return false }
        if marker == JPEGMarker.startOfScan { return true }
        let end = start + length
        guard end + 1 < bytes.byteCount else { return nil }
        guard bytes.byte(at: end) == 0xFF else { return false }
        let next = bytes.byte(at: end + 1)
        return next == 0xFF || next == JPEGMarker.endOfImage || JPEGMarker.hasSegment(next)
    }

    // MARK: The end of the input

    private func end(_ bytes: RawSpan) -> Verdict {
        if let header { return .withoutEnd(byteCount: bytes.byteCount, header) }
        let error = FrameStreamingError(
            .truncatedInput, "the input ends \(bytes.byteCount) bytes into it, before its data")
        return .damaged(error, next: frame(in: doubtful, bytes, isWhole: false) ?? bytes.byteCount)
    }
}
