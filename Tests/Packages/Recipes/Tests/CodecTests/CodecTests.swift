import FrameStreamingTesting
import Testing

/// Gray pictures as runs: how often a sample comes, and the sample.
struct RunLengthCodec: FrameCodec {
    /// The four characters "RUNS", the first one in the lowest byte.
    static let runs = PixelFormat(rawValue: 0x534E_5552)
    let pool = FramePool(capacity: 8)

    // Both sides tell each other these in the handshake.
    var encodedFormats: [PixelFormat] { [Self.runs] }
    var decodableFormats: [PixelFormat] { [Self.runs] }

    func encode(_ frame: Frame, _ settings: EncodeSettings) throws(FrameStreamingError) -> Frame {
        guard frame.format.pixelFormat == .gray8 else {
            throw FrameStreamingError(.unsupported, "runs are made of gray8, not of \(frame.format.pixelFormat)")
        }
        var buffer = pool.buffer(byteCount: 2 * frame.byteCount)
        var output = buffer.samples
        var used = 0
        for line in 0..<frame.format.height {
            let row = frame.plane(0).row(line)
            for column in row.indices {
                if column > 0, row[column] == row[column - 1], output[used - 2] < 255 {
                    output[used - 2] += 1
                } else {
                    output[used] = 1
                    output[used + 1] = row[column]
                    used += 2
                }
            }
        }
        let format = try FrameFormat(width: frame.format.width, height: frame.format.height, pixelFormat: Self.runs)
        var result = try buffer.makeFrame(format: format, usedBytes: used)
        result.takeDescription(of: frame)
        return result
    }

    /// Makes gray8, whatever pixel format the settings ask for, and does not scale.
    func decode(_ frame: Frame, _ settings: DecodeSettings) throws(FrameStreamingError) -> Frame {
        let format = try FrameFormat(width: frame.format.width, height: frame.format.height, pixelFormat: .gray8)
        var buffer = pool.buffer(byteCount: format.byteCount)
        var output = buffer.samples
        let input = frame.samples
        var used = 0
        // What came over a network may be wrong in every way: nothing is believed unchecked.
        for index in stride(from: 0, to: input.count - 1, by: 2) {
            guard used + Int(input[index]) <= output.count else {
                throw FrameStreamingError(.corruptImage, "the runs are longer than the picture: drop it and go on")
            }
            for _ in 0..<input[index] {
                output[used] = input[index + 1]
                used += 1
            }
        }
        guard used == output.count else {
            throw FrameStreamingError(.corruptImage, "the runs end before the picture: drop it and go on")
        }
        var result = try buffer.makeFrame(format: format)
        result.takeDescription(of: frame)
        return result
    }
}

private func steps(_ number: UInt64) throws -> Frame {
    try .filled(FrameFormat(width: 17, height: 13, pixelFormat: .gray8), sequence: number) { UInt8($0 / 40) }
}

@Test func picturesComeBackAsTheyWere() throws {
    var source = ScriptedSource(try (0..<5).map { try steps($0) })
    let received = try stream(&source, codec: RunLengthCodec())
    #expect(received.map(\.frame.sequence) == Array(0..<5))
    for frame in received.map(\.frame) {
        #expect(frame.samples.indices.allSatisfy { frame.samples[$0] == UInt8($0 / 40) })
    }
}

@Test(arguments: [[9, 1], [255, 1], [1], []]) func whatIsNoPictureIsCorrupt(bytes: [UInt8]) throws {
    let format = try FrameFormat(width: 17, height: 13, pixelFormat: RunLengthCodec.runs)
    let frame = try Frame.filled(format, byteCount: max(bytes.count, 1)) { bytes.isEmpty ? 0 : bytes[$0] }
    let error = #expect(throws: FrameStreamingError.self) { try RunLengthCodec().decode(frame, DecodeSettings()) }
    #expect(error?.code == .corruptImage)
}
