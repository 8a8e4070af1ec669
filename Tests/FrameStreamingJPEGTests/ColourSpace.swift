import FrameStreamingCore

/// A matrix with a range, computed from the definitions in double precision: the reference for the
/// codec's integers.
struct ColourSpace {
    let red: Double
    let blue: Double
    let isLimited: Bool

    init?(_ matrix: ColorMatrix, _ range: ColorRange) {
        // ITU-R BT.601 2.5.1, BT.709 3.2, BT.2020 table 4.
        let weights: [ColorMatrix: (Double, Double)] = [
            .bt601: (0.299, 0.114), .bt709: (0.2126, 0.0722), .bt2020: (0.2627, 0.0593),
        ]
        guard let (red, blue) = weights[matrix] else { return nil }
        (self.red, self.blue) = (red, blue)
        isLimited = range == .limited
    }

    /// Y, Cb and Cr of a colour of 0...255 each, neither rounded nor clamped.
    func samples(_ rgb: [Double]) -> [Double] {
        let (y, u, v) = samples((rgb[0], rgb[1], rgb[2]))
        return [y, u, v]
    }

    func samples(_ rgb: (Double, Double, Double)) -> (Double, Double, Double) {
        let (r, g, b) = (rgb.0 / 255, rgb.1 / 255, rgb.2 / 255)
        let y = red * r + (1 - red - blue) * g + blue * b
        let (cb, cr) = ((b - y) / (2 * (1 - blue)), (r - y) / (2 * (1 - red)))
        return isLimited
            ? (16 + 219 * y, 128 + 224 * cb, 128 + 224 * cr) : (255 * y, 128 + 255 * cb, 128 + 255 * cr)
    }

    /// R, G and B of three samples, 0...255 where the colour exists.
    func rgb(_ sampleY: Double, _ sampleU: Double, _ sampleV: Double) -> (Double, Double, Double) {
        let y = isLimited ? (sampleY - 16) / 219 : sampleY / 255
        let cb = (sampleU - 128) / (isLimited ? 224 : 255)
        let cr = (sampleV - 128) / (isLimited ? 224 : 255)
        let (r, b) = (y + 2 * (1 - red) * cr, y + 2 * (1 - blue) * cb)
        let g = (y - red * r - blue * b) / (1 - red - blue)
        return (255 * r, 255 * g, 255 * b)
    }
}

extension ColourSpace {
    /// A frame of `format` (YUV) with the colour that `colour` returns for each pixel; a shared
    /// chroma sample is the mean of its pixels.
    func frame(
        _ format: FrameFormat, _ colour: (Int, Int) -> [Double]
    ) throws -> Frame {
        let (width, height) = (format.width, format.height)
        // Each once: the planes ask for every pixel several times.
        let pixels: [[Double]] = (0..<height).flatMap { y in
            (0..<width).map { x in samples(colour(x, y)) }
        }
        func pixel(_ x: Int, _ y: Int) -> [Double] { pixels[min(y, height - 1) * width + min(x, width - 1)] }
        func byte(_ value: Double) -> UInt8 { UInt8(min(255, max(0, value.rounded()))) }
        func chroma(_ which: Int, _ x: Int, _ y: Int, _ across: Int, _ down: Int) -> UInt8 {
            var sum = 0.0
            for j in 0..<down { for i in 0..<across { sum += pixel(x * across + i, y * down + j)[which] } }
            return byte(sum / Double(across * down))
        }
        var bytes = [UInt8](repeating: 0xA5, count: format.byteCount)
        for index in 0..<format.planeCount {
            let plane = format.plane(index)
            for row in 0..<plane.height {
                for place in 0..<plane.rowBytes {
                    let value: UInt8
                    switch format.pixelFormat {
                    case .yuyv, .uyvy:
                        let turn = format.pixelFormat == .yuyv ? place % 4 : (place % 4) ^ 1
                        value =
                            turn % 2 == 0
                            ? byte(pixel(place / 4 * 2 + turn / 2, row)[0])
                            : chroma(turn == 1 ? 1 : 2, place / 4, row, 2, 1)
                    case _ where index == 0: value = byte(pixel(place, row)[0])
                    case .nv12: value = chroma(1 + place % 2, place / 2, row, 2, 2)
                    case .nv21: value = chroma(2 - place % 2, place / 2, row, 2, 2)
                    case .i420: value = chroma(index, place, row, 2, 2)
                    case .yv12: value = chroma(3 - index, place, row, 2, 2)
                    case .i422: value = chroma(index, place, row, 2, 1)
                    default: value = chroma(index, place, row, 1, 1)
                    }
                    bytes[plane.offset + row * plane.stride + place] = value
                }
            }
        }
        return try makeFrame(bytes, format)
    }
}
