internal import FrameStreamingCore

/// Finds the quantizer with which a frame has about as many bytes as wanted, for encoders that choose
/// none themselves.
///
/// It knows how sizes fall with the quantizer, roughly, and learns from each frame how large those of
/// this scene are. A frame that came out larger than wanted makes the next guess lower.
struct FrameBudget: Sendable {
    /// By how many steps of the quantizer a frame loses half its bytes.
    private let halving: Double
    private let pixels: Double
    /// The logarithm, to the base 2, of a frame's bytes at quantizer 0: those that stand alone, and others.
    private var key: Double?
    private var delta: Double?

    init(_ format: VideoFormat, width: Int, height: Int) {
        halving = format == .vp8 ? 8 : 6.5
        pixels = Double(width) * Double(height)
    }

    private func level(standsAlone: Bool) -> Double {
        if standsAlone { return key ?? (pixels / 2).log2 }
        // Of a scene that moves a little.
        return delta ?? key.map { $0 - 2 } ?? (pixels / 8).log2
    }

    /// The smallest quantizer with which a frame has at most so many bytes, as far as can be known.
    ///
    /// - Parameter best: The smallest to use.
    func quantizer(bytes: Int, standsAlone: Bool, best: Int) -> Int {
        let steps = (level(standsAlone: standsAlone) - Double(max(1, bytes)).log2) * halving
        return min(63, max(best, Int(steps.rounded(.up))))
    }

    mutating func learn(bytes: Int, quantizer: Int, standsAlone: Bool) {
        let seen = Double(max(1, bytes)).log2 + Double(quantizer) / halving
        if standsAlone {
            key = seen
        } else {
            // At once when frames grow, and slowly when they shrink: a still moment says little.
            delta = delta.map { seen > $0 ? seen : $0 + (seen - $0) * 0.25 } ?? seen
        }
    }
}

extension Double {
    fileprivate var log2: Double {
        // Without a C library: the exponent, and the fraction by the series of the area tangent.
        let exponent = Double(self.exponent)
        let ratio = (significand - 1) / (significand + 1)
        let square = ratio * ratio
        let series = ratio * (1 + square * (1 / 3.0 + square * (1 / 5.0 + square * (1 / 7.0 + square / 9))))
        return exponent + 2 * series / 0.693_147_180_559_945_3
    }
}

/// The quantizers of libvpx's options, 0...63, and what FFmpeg calls the offset of a region's.
enum RegionQuantizer {
    /// The largest offset.
    static let farthest = 63

    /// The offset with which a whole picture as one region gets another quantizer than the encoder's own.
    static func offset(from base: Int, to wanted: Int, _ format: VideoFormat) -> Int {
        let distance = wanted - base
        // VP9's own scale is linear in these, so its offsets are, too.
        guard format == .vp8 else { return min(max(distance, -farthest), farthest) }
        let (from, to) = (vp8[min(max(base, 0), 63)], vp8[min(max(wanted, 0), 63)])
        let size = abs(to - from)
        let offset = vp8.lastIndex { $0 <= size } ?? 0
        return distance < 0 ? -offset : offset
    }

    /// VP8's own scale, 0...127 (libvpx, `q_trans`). libvpx translates an offset by it as well.
    private static let vp8: [Int] = [
        0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 33, 35, 37,
        39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 64, 67, 70, 73, 76, 79, 82, 85, 88, 91, 94, 97, 100, 103, 106,
        109, 112, 115, 118, 121, 124, 127,
    ]
}
