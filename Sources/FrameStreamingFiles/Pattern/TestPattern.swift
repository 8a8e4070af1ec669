public import FrameStreamingCore

/// Draws numbered test frames: colour bars, a square that moves over them, and the frame number and
/// elapsed time in digits. Black and white blocks repeat the number for programs.
///
/// Frame n depends on n, the format and the rate alone. The moving parts are drawn over a
/// background that is drawn once.
public struct TestPattern: Sendable {
    /// A colour of the pattern.
    package struct Color: Hashable, Sendable {
        /// Red, 0...255.
        package let red: UInt8
        /// Green, 0...255.
        package let green: UInt8
        /// Blue, 0...255.
        package let blue: UInt8

        init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
            self.red = red
            self.green = green
            self.blue = blue
        }

        /// Returns luma and chroma by ITU-R BT.601, rounded, with the sample values of `range`.
        package func yuv(_ range: ColorRange) -> (y: UInt8, u: UInt8, v: UInt8) {
            let (r, g, b) = (Double(red), Double(green), Double(blue))
            let luma = 0.299 * r + 0.587 * g + 0.114 * b
            let (u, v) = ((b - luma) / 1.772, (r - luma) / 1.402)
            let (scale, black, chromaScale) = range == .limited ? (219.0 / 255, 16.0, 224.0 / 255) : (1, 0, 1)
            func sample(_ value: Double) -> UInt8 { UInt8(min(255, max(0, value.rounded()))) }
            return (sample(black + luma * scale), sample(128 + u * chromaScale), sample(128 + v * chromaScale))
        }
    }

    /// 100 % bars from left to right: white, yellow, cyan, green, magenta, red, blue, black.
    package static let bars: [Color] = [
        Color(255, 255, 255), Color(255, 255, 0), Color(0, 255, 255), Color(0, 255, 0),
        Color(255, 0, 255), Color(255, 0, 0), Color(0, 0, 255), Color(0, 0, 0),
    ]

    /// The pixel formats that the pattern supports: all named ones except JPEG.
    public static let pixelFormats: [PixelFormat] = [
        .i420, .yv12, .nv12, .nv21, .yuyv, .uyvy, .i422, .i444, .rgb24, .bgr24, .rgba32, .bgra32, .gray8,
    ]

    /// The frames' shape.
    public let format: FrameFormat
    /// The frame rate that the clock in the frame counts with.
    public let rate: FrameRate

    private let canvas: PatternCanvas
    private let layout: PatternLayout
    private let black: PatternInk
    private let white: PatternInk
    private let orange: PatternInk
    private let background: [UInt8]

    /// Creates a pattern of this shape, and draws its background.
    ///
    /// - Throws: `unsupported` for a pixel format that is not one of ``pixelFormats``.
    public init(format: FrameFormat, rate: FrameRate) throws(FrameStreamingError) {
        guard let canvas = PatternCanvas(format: format) else {
            throw FrameStreamingError(
                .unsupported,
                "the test pattern cannot be drawn in \(format.pixelFormat): ask for I420 or another raw format")
        }
        self.format = format
        self.rate = rate
        self.canvas = canvas
        layout = PatternLayout(width: format.width, height: format.height)
        black = canvas.ink(Color(0, 0, 0))
        white = canvas.ink(Color(255, 255, 255))
        orange = canvas.ink(Color(255, 128, 0))
        var bytes = [UInt8](repeating: 0, count: format.byteCount)
        var span = bytes.mutableSpan
        // Bytes of UInt8: every value is valid.
        var room = unsafe span.mutableBytes
        for (color, rect) in zip(Self.bars, layout.bars) { canvas.fill(rect, with: canvas.ink(color), in: &room) }
        if let text = layout.text { canvas.fill(text.box, with: black, in: &room) }
        background = bytes
    }

    /// Draws frame `number` into the first `FrameFormat/byteCount` bytes of `bytes`.
    ///
    /// - Precondition: `bytes` has at least that many bytes.
    public func draw(_ number: UInt64, into bytes: inout MutableRawSpan) {
        precondition(bytes.byteCount >= background.count, "\(format) needs \(background.count) bytes")
        unsafe bytes.withUnsafeMutableBytes { target in
            // The check above ensures that the target is large enough. The target is borrowed
            // exclusively, so it does not overlap the background.
            unsafe background.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
        }
        if let square = layout.square(number) { canvas.fill(square, with: orange, in: &bytes) }
        if let text = layout.text {
            draw(Self.digits(of: number, atLeast: 6), at: text.counter, dot: text.dot, into: &bytes)
            draw(clock(number), at: text.clock, dot: text.dot, into: &bytes)
        }
        if let strip = layout.strip {
            let word = PatternNumber.word(for: number)
            for bit in 0..<PatternNumber.bits {
                let isSet = word >> UInt64(PatternNumber.bits - 1 - bit) & 1 == 1
                canvas.fill(strip.block(bit), with: isSet ? white : black, in: &bytes)
            }
        }
    }

    private func draw(
        _ text: [UInt8], at place: (x: Int, y: Int), dot: Int, into bytes: inout MutableRawSpan
    ) {
        for (index, character) in text.enumerated() {
            let left = place.x + index * PatternFont.advance * dot
            for (row, dots) in PatternFont.rows(of: character).enumerated() {
                // Adjacent dots become one rectangle.
                var column = 0
                while column < PatternFont.width {
                    let first = column
                    while column < PatternFont.width, dots >> UInt8(PatternFont.width - 1 - column) & 1 == 1 {
                        column += 1
                    }
                    if column > first {
                        let rect = PatternRect(
                            x: left + first * dot, y: place.y + row * dot, width: (column - first) * dot, height: dot)
                        canvas.fill(rect, with: white, in: &bytes)
                    }
                    column += 1
                }
            }
        }
    }

    /// The time of the frame as `hh:mm:ss.mmm`, with more digits of hours if needed.
    private func clock(_ number: UInt64) -> [UInt8] {
        let milliseconds = UInt64(max(0, rate.nanoseconds(ofFrame: number))) / 1_000_000
        let seconds = milliseconds / 1000
        return Self.digits(of: seconds / 3600, atLeast: 2) + [UInt8(ascii: ":")]
            + Self.digits(of: seconds / 60 % 60, atLeast: 2) + [UInt8(ascii: ":")]
            + Self.digits(of: seconds % 60, atLeast: 2) + [UInt8(ascii: ".")]
            + Self.digits(of: milliseconds % 1000, atLeast: 3)
    }

    private static func digits(of number: UInt64, atLeast count: Int) -> [UInt8] {
        let plain = Array(String(number).utf8)
        return [UInt8](repeating: UInt8(ascii: "0"), count: max(0, count - plain.count)) + plain
    }
}
