import FrameStreamingTesting
import Testing

/// Pictures whose bytes are their number.
struct Ramp: FrameSource {
    let isLive = false
    var number: UInt8 = 0

    mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        guard number < 10 else { return nil }
        defer { number += 1 }
        let format = try FrameFormat(width: 17, height: 13, pixelFormat: .gray8)
        return .frame(try .filled(format, sequence: UInt64(number)) { [number] _ in number })
    }
}

@Test func everyPictureArrives() throws {
    var source = Ramp()
    let received = try stream(&source)
    #expect(received.map(\.frame.sequence) == Array(0..<10))
    for frame in received.map(\.frame) {
        #expect(frame.withUnsafeBytes { $0.allSatisfy { UInt64($0) == frame.sequence } })
    }
}

@Test func aSourceWithoutEnd() throws {
    var source = ScriptedSource(
        try (0..<100).map {
            try .filled(FrameFormat(width: 1, height: 1, pixelFormat: .gray8), sequence: $0) { _ in 0 }
        })
    #expect(try stream(&source, limit: 5).count == 5)
}
