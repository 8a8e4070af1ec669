internal import CLinux
internal import FrameStreamingCore
@testable internal import FrameStreamingFiles
internal import FrameStreamingSystem

/// A file in memory with these bytes, read from its start. It has no name, and ends with the
/// descriptor.
private func file(_ bytes: [UInt8]) throws(SystemError) -> Descriptor {
    let descriptor = Descriptor(fs_memory_file("fuzz"))
    try descriptor.writeAll(bytes.span.bytes)
    try descriptor.seek(to: 0)
    return descriptor
}

/// Small, because a frame's memory is touched page by page, which takes longer than all else.
private let frameLimit = 1 << 16

/// The frames of an input, each by its shape and size, until it ends or fails.
private func frames(_ bytes: [UInt8]) -> [String] {
    var options = PlaybackOptions()
    options.pace = .maximum
    options.maximumFrameByteCount = frameLimit
    var found: [String] = []
    do throws(FrameStreamingError) {
        guard let file = try? file(bytes) else { fatalError("no file in memory") }
        let source = try FileSource(file, name: "fuzz", options: options)
        while let event = try source.next(until: .never) {
            guard case .frame(let frame) = event else { continue }
            invariant(frame.byteCount > 0 && frame.byteCount <= frameLimit, "\(frame.byteCount) bytes")
            found.append("\(frame.format) \(frame.byteCount)")
            invariant(found.count <= bytes.count, "more frames than bytes")
        }
    } catch {
        found.append(error.code.description)
    }
    return found
}

func fuzzFile(_ bytes: [UInt8]) { _ = frames(bytes) }

/// What a walk says of the frame at the first byte.
private enum Walked: Equatable {
    case whole(Int), withoutEnd(Int), startsAgain(Int), damaged(next: Int), incomplete

    init(_ verdict: JPEGFrameWalk.Verdict) {
        self =
            switch verdict {
            case .incomplete: .incomplete
            case .whole(let count, _): .whole(count)
            case .withoutEnd(let count, _): .withoutEnd(count)
            case .startsAgain(let index): .startsAgain(index)
            case .damaged(_, let next): .damaged(next: next)
            }
    }

    /// Bytes to go on behind; the search never stands still.
    var next: Int {
        switch self {
        case .whole(let next), .withoutEnd(let next), .startsAgain(let next), .damaged(let next): next
        case .incomplete: 0
        }
    }
}

/// Frame after frame, with the bytes at once and byte for byte.
func fuzzMJPEG(_ bytes: [UInt8]) {
    let bytes = [0xFF, 0xD8, 0xFF] + bytes
    var start = 0
    while start < bytes.count {
        // A walk begins at a start of a frame.
        guard start == 0 || JPEGFrameWalk.isStart(bytes.span.bytes, at: start) == true else {
            start += 1
            continue
        }
        let rest = bytes.span.bytes.extracting(start..<bytes.count)
        var walk = JPEGFrameWalk(lastSize: nil)
        let whole = Walked(walk.advance(over: rest, isLast: true))
        invariant(whole != .incomplete && whole.next > 0 && whole.next <= rest.byteCount, "\(whole)")
        if bytes.count <= 1024 {
            var steps = JPEGFrameWalk(lastSize: nil)
            var verdict = Walked.incomplete
            var count = 1
            while verdict == .incomplete {
                verdict = Walked(
                    steps.advance(over: rest.extracting(0..<count), isLast: count == rest.byteCount))
                count = min(count + 1, rest.byteCount)
            }
            invariant(verdict == whole, "the pieces matter: \(verdict), \(whole)")
        }
        start += whole.next
    }
}

func fuzzY4M(_ bytes: [UInt8]) {
    guard let header = try? Y4MHeader(parsing: bytes) else { return }
    invariant(header.width > 0 && header.height > 0, "\(header)")
    // What is written again says the same.
    if let again = try? Y4MHeader(parsing: Array(header.line.utf8.dropLast())) {
        invariant(again == header, "\(header) became \(again)")
    } else {
        fatalError("a header that was written is read: \(header.line)")
    }
    _ = try? FrameFormat(width: header.width, height: header.height, pixelFormat: header.pixelFormat)
}
