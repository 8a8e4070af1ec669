import FrameStreamingCore

/// Writes and reads pixels of every format that has planes, in odd sizes and with padded rows, and
/// checks that each is where ``PlaneLayout`` says.
@main struct Pixels {
    static let formats: [PixelFormat] = [
        .i420, .yv12, .nv12, .nv21, .i422, .i444, .yuyv, .uyvy, .rgb24, .bgr24, .rgba32, .bgra32, .gray8,
    ]
    static let sizes = [(1, 1), (2, 1), (17, 13), (33, 2), (641, 7)]

    static func main() throws {
        var compared = 0
        for pixelFormat in formats {
            for (width, height) in sizes {
                for padding in [0, 1, 13] {
                    let format = try padded(pixelFormat, width, height, by: padding)
                    let picture = try draw(format)
                    compared += try compare(picture)
                    let copy = try negative(of: try negative(of: picture))
                    compared += try compare(copy)
                }
            }
        }
        print("\(compared) samples are where they belong")
    }

    /// What stands in row `y` of a plane at byte `x`.
    static func sample(_ plane: Int, _ x: Int, _ y: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: 31 &* x &+ 7 &* y &+ 101 &* plane &+ 5)
    }

    /// A format whose rows have `padding` bytes behind them, and whose planes have as many between
    /// them.
    static func padded(
        _ pixelFormat: PixelFormat, _ width: Int, _ height: Int, by padding: Int
    ) throws -> FrameFormat {
        let tight = try FrameFormat(width: width, height: height, pixelFormat: pixelFormat)
        var strides: [Int] = []
        var offsets: [Int] = []
        var end = padding
        for index in 0..<tight.planeCount {
            let plane = tight.plane(index)
            strides.append(plane.rowBytes + padding)
            offsets.append(end)
            end += (plane.rowBytes + padding) * plane.height + padding
        }
        return try FrameFormat(
            width: width, height: height, pixelFormat: pixelFormat, strides: strides, offsets: offsets)
    }

    static func draw(_ format: FrameFormat) throws -> Frame {
        var buffer = FramePool(capacity: 0).buffer(byteCount: format.byteCount)
        var all = buffer.samples
        for index in all.indices { all[index] = 0 }
        for index in 0..<format.planeCount {
            let layout = format.plane(index)
            var samples = buffer.plane(layout)
            for y in 0..<layout.height {
                for x in 0..<layout.rowBytes { samples[y * layout.stride + x] = sample(index, x, y) }
            }
        }
        return try buffer.makeFrame(format: format)
    }

    static func negative(of frame: Frame) throws -> Frame {
        var buffer = FramePool(capacity: 0).buffer(byteCount: frame.byteCount)
        for index in 0..<frame.format.planeCount {
            let source = frame.plane(index)
            var target = buffer.plane(source.layout)
            for y in 0..<source.layout.height {
                let row = source.row(y)
                for x in row.indices { target[y * source.layout.stride + x] = 255 - row[x] }
            }
        }
        return try buffer.makeFrame(format: frame.format)
    }

    /// Compares every sample through ``Frame/samples`` and through its plane, and returns how many
    /// there were.
    static func compare(_ frame: Frame) throws -> Int {
        var count = 0
        let all = frame.samples
        for index in 0..<frame.format.planeCount {
            // A span made anew for every sample: what a careless loop does.
            for y in 0..<frame.plane(index).layout.height {
                for x in 0..<frame.plane(index).row(y).count {
                    let expected = sample(index, x, y)
                    let layout = frame.plane(index).layout
                    guard frame.plane(index).row(y)[x] == expected,
                        all[layout.offset + y * layout.stride + x] == expected,
                        frame.samples[layout.offset + y * layout.stride + x] == expected,
                        frame.plane(index).samples[y * layout.stride + x] == expected
                    else { throw Difference(format: "\(frame.format)", plane: index, x: x, y: y) }
                    count += 1
                }
            }
        }
        return count
    }
}

/// A sample that is not what was written.
struct Difference: Error {
    var format: String
    var plane: Int
    var x: Int
    var y: Int
}
