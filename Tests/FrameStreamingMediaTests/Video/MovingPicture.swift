import FrameStreamingCore
import FrameStreamingTesting
import Glibc

/// Smooth pictures that move, so that a wrong reference shows.
enum MovingPicture {
    static func i420(_ number: Int, width: Int, height: Int) throws -> Frame {
        let format = try FrameFormat(width: width, height: height, pixelFormat: .i420, colorMatrix: .bt601)
        let luma = format.plane(0)
        let chroma = format.plane(1)
        return try .filled(format, sequence: UInt64(number)) { index in
            if index < luma.byteCount {
                let (x, y) = (index % luma.stride, index / luma.stride)
                return UInt8(clamping: 40 + (x * 3 + y * 2 + number * 11) % 160)
            }
            let place = (index - luma.byteCount) % chroma.byteCount
            return UInt8(clamping: 100 + (place % chroma.stride + number * 3) % 60)
        }
    }

    static func rgb(_ number: Int, width: Int, height: Int, as pixelFormat: PixelFormat = .bgr24) throws -> Frame {
        let format = try FrameFormat(width: width, height: height, pixelFormat: pixelFormat)
        let bytes = format.plane(0).rowBytes / width
        return try .filled(format, sequence: UInt64(number)) { index in
            let (x, y) = (index % format.plane(0).stride / bytes, index / format.plane(0).stride)
            return UInt8(clamping: 30 + (x + y + number * 5) % 190)
        }
    }

    /// The mean of the squared differences of all samples, in decibels below the largest; 100 = equal.
    static func likeness(_ one: Frame, _ other: Frame) -> Double {
        guard one.format.width == other.format.width, one.format.height == other.format.height,
            one.format.pixelFormat == other.format.pixelFormat
        else { return 0 }
        var (sum, count) = (0.0, 0.0)
        for index in 0..<one.format.planeCount {
            let (left, right) = (one.plane(index), other.plane(index))
            for y in 0..<left.layout.height {
                let (a, b) = (left.row(y), right.row(y))
                for x in a.indices {
                    let difference = Double(a[x]) - Double(b[x])
                    sum += difference * difference
                    count += 1
                }
            }
        }
        return sum == 0 ? 100 : 10 * log10(255 * 255 * count / sum)
    }
}
