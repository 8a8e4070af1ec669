import FrameStreamingCore
import Foundation

@testable import FrameStreamingJPEG

/// A frame like a smooth photograph, with a known value at every pixel in full range YCbCr, in any
/// format.
struct TestPicture {
    let width: Int
    let height: Int

    func y(_ x: Int, _ y: Int) -> Double {
        let (x, y) = (Double(x), Double(y))
        return 128 + 60 * sin(x / 23) * cos(y / 17) + 20 * sin((x + 2 * y) / 9)
    }
    func u(_ x: Int, _ y: Int) -> Double { 128 + 30 * sin(Double(x) / 51 + Double(y) / 83) }
    func v(_ x: Int, _ y: Int) -> Double { 128 + 30 * cos(Double(x) / 71 - Double(y) / 47) }

    /// The three samples of a pixel, rounded, full range.
    func samples(_ x: Int, _ y: Int) -> [UInt8] {
        [self.y(x, y), u(x, y), v(x, y)].map { UInt8($0.rounded()) }
    }

    /// The frame in `format`, with `padding` bytes of 0xA5 behind each line.
    func frame(
        _ format: PixelFormat, range: ColorRange = .full, padding: Int = 0, offset: Int = 0
    ) throws -> Frame {
        let tight = try FrameFormat(width: width, height: height, pixelFormat: format, colorRange: range)
        let planes = (0..<tight.planeCount).map { tight.plane($0) }
        var offsets: [Int] = []
        var next = offset
        for plane in planes {
            offsets.append(next)
            next += (plane.rowBytes + padding) * plane.height
        }
        let shape = try FrameFormat(
            width: width, height: height, pixelFormat: format, strides: planes.map { $0.rowBytes + padding },
            offsets: offsets, colorRange: format.isYUV ? range : .full)
        var bytes = [UInt8](repeating: 0xA5, count: next)
        for index in 0..<shape.planeCount {
            let plane = shape.plane(index)
            for row in 0..<plane.height {
                for byte in 0..<plane.rowBytes {
                    bytes[plane.offset + row * plane.stride + byte] = value(shape, index, row, byte)
                }
            }
        }
        return try makeFrame(bytes, shape)
    }

    private func value(_ format: FrameFormat, _ plane: Int, _ row: Int, _ byte: Int) -> UInt8 {
        func luma(_ x: Int, _ y: Int) -> UInt8 { ranged(self.y(min(x, width - 1), y), format.colorRange, 219, 16, 0) }
        // As a camera does: the mean of the pixels that share the sample.
        func chroma(_ which: (Int, Int) -> Double, _ x: Int, _ y: Int, _ across: Int, _ down: Int) -> UInt8 {
            var sum = 0.0
            for j in 0..<down {
                for i in 0..<across { sum += which(min(x * across + i, width - 1), min(y * down + j, height - 1)) }
            }
            return ranged(sum / Double(across * down), format.colorRange, 224, 128, 128)
        }
        let packed = format.pixelFormat
        switch packed {
        case .gray8: return luma(byte, row)
        case .i420, .yv12:
            if plane == 0 { return luma(byte, row) }
            return chroma((plane == 1) == (packed == .i420) ? u : v, byte, row, 2, 2)
        case .nv12, .nv21:
            if plane == 0 { return luma(byte, row) }
            return chroma((byte % 2 == 0) == (packed == .nv12) ? u : v, byte / 2, row, 2, 2)
        case .i422: return plane == 0 ? luma(byte, row) : chroma(plane == 1 ? u : v, byte, row, 2, 1)
        case .i444: return plane == 0 ? luma(byte, row) : chroma(plane == 1 ? u : v, byte, row, 1, 1)
        case .yuyv, .uyvy:
            let place = packed == .yuyv ? byte % 4 : (byte % 4) ^ 1
            if place % 2 == 0 { return luma(byte / 4 * 2 + place / 2, row) }
            return chroma(place == 1 ? u : v, byte / 4, row, 2, 1)
        default:
            let size = packed == .rgb24 || packed == .bgr24 ? 3 : 4
            let place = byte % size
            if place == 3 { return 77 }
            let rgb = rgb(byte / size, row)
            return rgb[packed == .rgb24 || packed == .rgba32 ? place : 2 - place]
        }
    }

    /// JFIF's conversion.
    func rgb(_ x: Int, _ y: Int) -> [UInt8] {
        let (luma, cb, cr) = (self.y(x, y), u(x, y) - 128, v(x, y) - 128)
        return [luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb].map {
            UInt8(min(255, max(0, $0.rounded())))
        }
    }

    private func ranged(_ sample: Double, _ range: ColorRange, _ span: Double, _ base: Double, _ zero: Double) -> UInt8
    {
        UInt8(min(255, max(0, (range == .full ? sample : (sample - zero) * span / 255 + base).rounded())))
    }
}

func makeFrame(_ bytes: [UInt8], _ format: FrameFormat) throws -> Frame {
    var buffer = FramePool(capacity: 1).buffer(byteCount: bytes.count)
    unsafe buffer.withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) }
    return try buffer.makeFrame(format: format)
}

/// A JPEG frame of these bytes that claims another size.
func jpegFrame(_ bytes: [UInt8], width: Int = 1, height: Int = 1) throws -> Frame {
    try makeFrame(bytes, FrameFormat(width: width, height: height, pixelFormat: .jpeg))
}

func bytes(_ frame: Frame) -> [UInt8] { unsafe frame.withUnsafeBytes { unsafe Array($0) } }

/// One sample of a plane of a frame.
struct Samples {
    let bytes: [UInt8]
    let format: FrameFormat

    init(_ frame: Frame) {
        bytes = FrameStreamingJPEGTests.bytes(frame)
        format = frame.format
    }

    subscript(plane: Int, x: Int, y: Int) -> UInt8 {
        bytes[format.plane(plane).offset + y * format.plane(plane).stride + x]
    }
}

/// PSNR in dB and the largest difference.
func difference(_ pairs: some Sequence<(UInt8, UInt8)>) -> (psnr: Double, largest: Int) {
    var (sum, count, largest) = (0.0, 0.0, 0)
    for (a, b) in pairs {
        let error = abs(Int(a) - Int(b))
        sum += Double(error * error)
        count += 1
        largest = max(largest, error)
    }
    return (sum == 0 ? .infinity : 10 * log10(255 * 255 * count / sum), largest)
}

/// How a decoded frame in I444 differs from the original, plane by plane.
func difference(
    _ decoded: Frame, _ picture: TestPicture
) -> [(psnr: Double, largest: Int)] {
    let samples = Samples(decoded)
    return (0..<3).map { plane in
        difference(
            (0..<picture.height).lazy.flatMap { y in
                (0..<picture.width).lazy.map { x in (samples[plane, x, y], picture.samples(x, y)[plane]) }
            })
    }
}

func code(_ body: () throws -> Void) -> FrameStreamingError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? FrameStreamingError)?.code
    }
}

func message(_ body: () throws -> Void) -> String {
    do {
        try body()
        return ""
    } catch {
        return (error as? FrameStreamingError)?.message ?? ""
    }
}
