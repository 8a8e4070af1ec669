@testable internal import FrameStreamingCamera
@testable internal import FrameStreamingCore

func fuzzJPEG(_ bytes: [UInt8]) {
    let span = bytes.span.bytes
    _ = try? JPEGHeader(span)
    if case .complete(let count) = JPEGCompleteness(of: span) { invariant(count <= bytes.count, "\(count)") }
    _ = EXIFOrientation.turn(of: span)
    var upright = bytes
    var room = upright.mutableSpan
    var target = unsafe room.mutableBytes
    EXIFOrientation.setUpright(&target)
    invariant(EXIFOrientation.turn(of: upright.span.bytes) == .none, "upright is upright")
    // The picture arrives in pieces: its end does not depend on them.
    let whole = length(bytes, from: bytes.count)
    if bytes.count <= 4096 { invariant(whole == length(bytes, from: 1), "the pieces matter") }
    if let length = whole ?? nil { invariant(length <= bytes.count, "\(length)") }
}

/// The picture's length, where its bytes arrive one after another from `first` on; nil = an error.
private func length(_ bytes: [UInt8], from first: Int) -> Int?? {
    var segments = JPEGSegments()
    do throws(FrameStreamingError) {
        var count = min(first, bytes.count)
        while count < bytes.count {
            if let length = try segments.advance(over: bytes.span.bytes.extracting(0..<count)) { return length }
            count += 1
        }
        return .some(try segments.advance(over: bytes.span.bytes))
    } catch {
        return nil
    }
}

func fuzzCamera(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { bytes in
        guard let picture = unsafe MotionJPEG(bytes) else { return }
        invariant(picture.range.lowerBound >= 0 && picture.range.upperBound <= bytes.count, "\(picture)")
        invariant(picture.range.count >= 4 && picture.width > 0 && picture.height > 0, "\(picture)")
        if let tables = picture.tablesBelongAt { invariant(picture.range.contains(tables), "\(picture)") }
    }
}
