import FrameStreamingCore
import Testing

@testable import FrameStreamingJPEG

@Suite struct BoxAverageTests {
    private static let scales: [PictureScale] = [.half, .quarter, .eighth]

    /// The rounded mean of the existing samples of each box, of bytes `size` apart.
    private func expected(_ bytes: [UInt8], stride: Int, columns: Int, lines: Int, size: Int, _ n: Int) -> [[UInt8]] {
        (0..<(lines + n - 1) / n).map { line in
            (0..<(columns + n - 1) / n * size).map { place in
                var (sum, count) = (0.0, 0.0)
                for y in line * n..<min(lines, line * n + n) {
                    for x in place / size * n..<min(columns, place / size * n + n) {
                        sum += Double(bytes[y * stride + x * size + place % size])
                        count += 1
                    }
                }
                return UInt8((sum / count).rounded())
            }
        }
    }

    private func check(_ scale: PictureScale, _ columns: Int, _ lines: Int, size: Int, _ bytes: [UInt8], stride: Int) {
        let n = scale.denominator
        let count = columns * size
        var words = [UInt16](repeating: 0xA5A5, count: BoxAverage.sumCount(columns: count))
        var result: [[UInt8]] = []
        unsafe words.withUnsafeMutableBufferPointer { words in
            unsafe bytes.withUnsafeBufferPointer { source in
                guard let room = words.baseAddress, let start = source.baseAddress else { return }
                let box = unsafe BoxAverage(scale, room: room, columns: count)
                let plane = unsafe SourcePlane(start: start, stride: stride)
                for first in Swift.stride(from: 0, to: lines, by: n) {
                    // One byte behind the result, which must not change.
                    var line = [UInt8](repeating: 0x5A, count: scale.scaled(columns) * size + 1)
                    let there = min(n, lines - first)
                    unsafe line.withUnsafeMutableBufferPointer { target in
                        guard let target = target.baseAddress else { return }
                        if size == 1 {
                            unsafe box.line(of: plane, first: first, lines: there, count: count, to: target)
                        } else {
                            unsafe box.packedLine(
                                of: plane, first: first, lines: there, count: count, size: size, to: target)
                        }
                    }
                    #expect(line.removeLast() == 0x5A)
                    result.append(line)
                }
            }
        }
        #expect(
            result == expected(bytes, stride: stride, columns: columns, lines: lines, size: size, n),
            "\(columns)x\(lines), \(size) bytes, \(scale)")
    }

    @Test(arguments: [1, 3, 4])
    func everySizeOfBoxAndEdge(_ size: Int) {
        var random = SystemRandomNumberGenerator()
        for scale in Self.scales {
            for columns in Array(1...20) + [31, 64, 77, 130] {
                for lines in [1, 2, 3, 7, 8, 9, 17] {
                    let stride = columns * size + 3
                    let bytes = (0..<stride * lines).map { _ in UInt8.random(in: 0...255, using: &random) }
                    check(scale, columns, lines, size: size, bytes, stride: stride)
                }
            }
        }
    }

    @Test func nothingOverflows() {
        for scale in Self.scales {
            for value: UInt8 in [0, 1, 254, 255] {
                for size in [1, 3, 4] {
                    check(scale, 33, 17, size: size, .init(repeating: value, count: 33 * 17 * size), stride: 33 * size)
                }
            }
        }
    }
}
