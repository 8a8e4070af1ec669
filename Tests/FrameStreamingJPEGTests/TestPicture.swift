import FrameStreamingCore
import Foundation

@testable import FrameStreamingJPEG

/// A picture like a smooth photograph, with known full-range YCbCr values at every pixel. It
/// can be made a frame of any format.
struct TestPicture {
    let width: Int
    let height: Int
    /// Y, Cb and Cr of every pixel, line after line: computed once, because a
    /// test asks for each several times.
    private let planes: [[Double]]

    init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        let across = (0..<width).map { sin(Double($0) / 23) }
        let along = (0..<width + 2 * height).map { 20 * sin(Double($0) / 9) }
        var planes = [[Double]](repeating: [], count: 3)
        for index in 0..<3 { planes[index].reserveCapacity(width * height) }
        for y in 0..<height {
            let down = 60 * cos(Double(y) / 17)
            let (ofU, ofV) = (Double(y) / 83, Double(y) / 47)
            for x in 0..<width {
                planes[0].append(128 + across[x] * down + along[x + 2 * y])
                planes[1].append(128 + 30 * sin(Double(x) / 51 + ofU))
                planes[2].append(128 + 30 * cos(Double(x) / 71 - ofV))
            }
        }
        self.planes = planes
    }

    func y(_ x: Int, _ y: Int) -> Double { planes[0][y * width + x] }
    func u(_ x: Int, _ y: Int) -> Double { planes[1][y * width + x] }
    func v(_ x: Int, _ y: Int) -> Double { planes[2][y * width + x] }

    /// One of the three samples of a pixel, rounded, full range.
    func sample(_ plane: Int, _ x: Int, _ y: Int) -> UInt8 { UInt8(planes[plane][y * width + x].rounded()) }

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
            let value = values(shape, index)
            for row in 0..<plane.height {
                for byte in 0..<plane.rowBytes { bytes[plane.offset + row * plane.stride + byte] = value(row, byte) }
            }
        }
        return try makeFrame(bytes, shape)
    }

    /// The bytes of a plane, by their row and their place in it.
    private func values(_ format: FrameFormat, _ plane: Int) -> (_ row: Int, _ byte: Int) -> UInt8 {
        let isFull = format.colorRange == .full
        func luma(_ x: Int, _ y: Int) -> UInt8 { ranged(self.y(min(x, width - 1), y), isFull, 219, 16, 0) }
        // As a camera does: the mean of the pixels that share the sample.
        func chroma(_ plane: Int, _ x: Int, _ y: Int, _ across: Int, _ down: Int) -> UInt8 {
            var sum = 0.0
            for j in 0..<down {
                let line = min(y * down + j, height - 1) * width
                for i in 0..<across { sum += planes[plane][line + min(x * across + i, width - 1)] }
            }
            return ranged(sum / Double(across * down), isFull, 224, 128, 128)
        }
        let packed = format.pixelFormat
        switch packed {
        case .i420, .yv12, .nv12, .nv21, .i422, .i444, .gray8:
            if plane == 0 { return { row, byte in luma(byte, row) } }
        default: break
        }
        switch packed {
        case .i420: return { row, byte in chroma(plane, byte, row, 2, 2) }
        case .yv12: return { row, byte in chroma(3 - plane, byte, row, 2, 2) }
        case .nv12: return { row, byte in chroma(1 + byte % 2, byte / 2, row, 2, 2) }
        case .nv21: return { row, byte in chroma(2 - byte % 2, byte / 2, row, 2, 2) }
        case .i422: return { row, byte in chroma(plane, byte, row, 2, 1) }
        case .i444: return { row, byte in chroma(plane, byte, row, 1, 1) }
        case .yuyv, .uyvy:
            let turn = packed == .yuyv ? 0 : 1
            return { row, byte in
                let place = (byte % 4) ^ turn
                if place % 2 == 0 { return luma(byte / 4 * 2 + place / 2, row) }
                return chroma(place == 1 ? 1 : 2, byte / 4, row, 2, 1)
            }
        default:
            let size = packed == .rgb24 || packed == .bgr24 ? 3 : 4
            let isRedFirst = packed == .rgb24 || packed == .rgba32
            return { row, byte in
                let place = byte % size
                return place == 3 ? 77 : rgb(byte / size, row, isRedFirst ? place : 2 - place)
            }
        }
    }

    /// Red, green or blue, by JFIF's conversion.
    func rgb(_ x: Int, _ y: Int, _ channel: Int) -> UInt8 {
        let pixel = y * width + x
        let (luma, cb, cr) = (planes[0][pixel], planes[1][pixel] - 128, planes[2][pixel] - 128)
        let value =
            switch channel {
            case 0: luma + 1.402 * cr
            case 1: luma - 0.344136 * cb - 0.714136 * cr
            default: luma + 1.772 * cb
            }
        return UInt8(min(255, max(0, value.rounded())))
    }

    private func ranged(_ sample: Double, _ isFull: Bool, _ span: Double, _ base: Double, _ zero: Double) -> UInt8 {
        UInt8(min(255, max(0, (isFull ? sample : (sample - zero) * span / 255 + base).rounded())))
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
    /// Where each plane and each of its lines begin.
    private let places: [(offset: Int, stride: Int)]

    init(_ frame: Frame) {
        bytes = FrameStreamingJPEGTests.bytes(frame)
        let format = frame.format
        self.format = format
        places = (0..<format.planeCount).map { (format.plane($0).offset, format.plane($0).stride) }
    }

    subscript(plane: Int, x: Int, y: Int) -> UInt8 { bytes[places[plane].offset + y * places[plane].stride + x] }
}

/// PSNR in dB and the largest difference.
func difference(_ pairs: some Sequence<(UInt8, UInt8)>) -> (psnr: Double, largest: Int) {
    var difference = Difference()
    for (a, b) in pairs { difference.add(a, b) }
    return difference.result
}

/// PSNR in dB and the largest difference of the pairs that `pair` has for each place of an area.
func difference(_ width: Int, _ height: Int, _ pair: (_ x: Int, _ y: Int) -> (UInt8, UInt8)) -> (
    psnr: Double, largest: Int
) {
    var difference = Difference()
    for y in 0..<height {
        for x in 0..<width {
            let (a, b) = pair(x, y)
            difference.add(a, b)
        }
    }
    return difference.result
}

private struct Difference {
    private var (sum, count, largest) = (0, 0, 0)

    mutating func add(_ a: UInt8, _ b: UInt8) {
        let error = abs(Int(a) - Int(b))
        sum += error * error
        count += 1
        if error > largest { largest = error }
    }

    var result: (psnr: Double, largest: Int) {
        (sum == 0 ? .infinity : 10 * log10(255 * 255 * Double(count) / Double(sum)), largest)
    }
}

/// How a decoded frame in I444 differs from the original, plane by plane.
func difference(_ decoded: Frame, _ picture: TestPicture) -> [(psnr: Double, largest: Int)] {
    let samples = Samples(decoded)
    return (0..<3).map { plane in
        difference(picture.width, picture.height) { x, y in (samples[plane, x, y], picture.sample(plane, x, y)) }
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
