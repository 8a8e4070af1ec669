import FrameStreamingCore
import FrameStreamingFiles
import Testing

@Suite struct TestPatternTests {
    private func frame(
        _ number: UInt64, _ width: Int, _ height: Int, _ format: PixelFormat, range: ColorRange? = nil,
        strides: [Int] = [], change: (inout [UInt8]) -> Void = { _ in }
    ) throws -> Frame {
        let layout = try FrameFormat(
            width: width, height: height, pixelFormat: format, strides: strides, colorRange: range)
        let pattern = try TestPattern(format: layout, rate: .thirty)
        var bytes = [UInt8](repeating: 77, count: layout.byteCount)
        var span = bytes.mutableSpan
        var room = unsafe span.mutableBytes
        pattern.draw(number, into: &room)
        change(&bytes)
        return try makeFrame(bytes, layout)
    }

    @Test(arguments: TestPattern.pixelFormats, [(1, 1), (2, 1), (17, 13), (128, 32), (641, 479), (1366, 768)])
    func `draws every format at any size, and the same again`(format: PixelFormat, size: (Int, Int)) throws {
        let first = try frame(12345, size.0, size.1, format)
        #expect(try frame(12345, size.0, size.1, format).array == first.array)
        let expected: UInt64? = size.0 >= 128 && size.1 >= 32 ? 12345 : nil
        #expect(TestPattern.frameNumber(in: first) == expected)
    }

    @Test(arguments: [0, 1, 2, 255, 65_535, 1 << 32, (1 << 48) - 1] as [UInt64])
    func `the number is read back, even from noisy frames`(number: UInt64) throws {
        for (format, range) in [(PixelFormat.i420, ColorRange.limited), (.i444, .full), (.bgr24, .full)] {
            let noisy = try frame(number, 320, 240, format, range: range) { bytes in
                for index in bytes.indices {
                    // `noise`, without an array for each byte.
                    let error = (index &* 7919 &* 2_654_435_761 >> 13 & 255) % 81 - 40
                    bytes[index] = UInt8(clamping: Int(bytes[index]) + error)
                }
            }
            #expect(TestPattern.frameNumber(in: noisy) == number)
        }
    }

    @Test func `other frames have no number`() throws {
        for value in [0, 90, 255] as [UInt8] {
            let plain = try frame(0, 320, 240, .i420) { $0 = [UInt8](repeating: value, count: $0.count) }
            #expect(TestPattern.frameNumber(in: plain) == nil)
        }
        #expect(TestPattern.frameNumber(in: try frame(5, 320, 240, .i420) { $0.reverse() }) == nil)
        let jpeg = try FrameFormat(width: 320, height: 240, pixelFormat: .jpeg)
        #expect(TestPattern.frameNumber(in: try makeFrame([1, 2, 3], jpeg)) == nil)
    }

    @Test func `padding between lines is neither drawn nor read`() throws {
        let padded = try frame(77, 160, 64, .i420, strides: [192, 96, 100])
        #expect(TestPattern.frameNumber(in: padded) == 77)
        let plain = try frame(77, 160, 64, .i420)
        #expect(Array(padded.array[192..<352]) == Array(plain.array[160..<320]))
    }

    @Test func `the bars have their colours`() throws {
        let rgb = try frame(0, 800, 600, .rgb24)
        let limited = try frame(0, 800, 600, .i444)
        let full = try frame(0, 800, 600, .i444, range: .full)
        // Line 150 is below the square in its first place and above the text.
        for (index, color) in TestPattern.bars.enumerated() {
            let place = 150 * 800 + index * 100 + 50
            #expect(Array(rgb.array[3 * place..<3 * place + 3]) == [color.red, color.green, color.blue])
            let (y, u, v) = color.yuv(.limited)
            #expect([0, 1, 2].map { limited.array[$0 * 480_000 + place] } == [y, u, v])
            #expect(full.array[place] == color.yuv(.full).y)
        }
        // ITU-R BT.601, 100 % bars.
        #expect(TestPattern.bars[0].yuv(.limited) == (235, 128, 128))
        #expect(TestPattern.bars[1].yuv(.limited) == (210, 16, 146))
        #expect(TestPattern.bars[5].yuv(.limited) == (81, 90, 240))
        #expect(TestPattern.bars[6].yuv(.limited) == (41, 240, 110))
        #expect(TestPattern.bars[7].yuv(.limited) == (16, 128, 128))
        #expect(TestPattern.bars[5].yuv(.full) == (76, 85, 255))
    }

    @Test func `something moves from frame to frame, and digits change`() throws {
        let frames = try (0..<60).map { try frame($0, 640, 480, .gray8).array }
        for (left, right) in zip(frames, frames.dropFirst()) {
            // The upper third holds the square, the middle the digits.
            #expect(left[..<(640 * 160)] != right[..<(640 * 160)])
            #expect(left[(640 * 160)..<(640 * 320)] != right[(640 * 160)..<(640 * 320)])
        }
    }

    @Test func `an unsupported format is refused`() throws {
        let layout = try FrameFormat(width: 2, height: 2, pixelFormat: .jpeg)
        #expect(try failure { _ = try TestPattern(format: layout, rate: .thirty) }.code == .unsupported)
    }
}
