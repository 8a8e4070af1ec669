/// Predicts a picture's bytes at a quality and a scale, from pictures that were encoded.
///
/// It begins with the curve of a typical photograph, scaled to the first picture, and
/// adapts to the following ones. A change of the scene counts for all qualities alike; the
/// shape of the curve is learnt slowly.
struct PictureSizes: Sendable {
    static let scales: [PictureScale] = [.full, .half, .quarter]

    /// The size at quality 0, 10, ... 100 relative to that at 50: photographs with 4:2:0, encoded
    /// by libjpeg, rounded. Only the initial values.
    private static let photograph: [Double] = [0.12, 0.33, 0.52, 0.70, 0.85, 1, 1.17, 1.42, 1.84, 2.86, 8.2]

    private(set) var isKnown = false
    private var atFifty = 0.0
    /// Smaller pictures have more detail in each pixel.
    private var scaleFactors = [1, 0.3, 0.09]
    private var curve = photograph

    private static func place(_ quality: Int) -> (index: Int, fraction: Double) {
        let quality = min(max(quality, 0), 100)
        let index = min(quality / 10, photograph.count - 2)
        return (index, Double(quality - 10 * index) / 10)
    }

    private static func index(_ scale: PictureScale) -> Int { scales.firstIndex(of: scale) ?? 0 }

    /// The bytes of a picture; 0 as long as nothing is known.
    func bytes(quality: Int, scale: PictureScale) -> Double {
        let (index, fraction) = Self.place(quality)
        let height = curve[index] + (curve[index + 1] - curve[index]) * fraction
        return atFifty * scaleFactors[Self.index(scale)] * height
    }

    mutating func learn(bytes: Int, quality: Int, scale: PictureScale) {
        let seen = Double(max(1, bytes))
        guard isKnown else {
            isKnown = true
            atFifty = 1
            atFifty = seen / self.bytes(quality: quality, scale: scale)
            return
        }
        let ratio = min(max(seen / self.bytes(quality: quality, scale: scale), 0.1), 10)
        // Sizes vary by a third from picture to picture; a larger change is another scene.
        atFifty *= 1 + (ratio - 1) * ((0.6...1.7).contains(ratio) ? 0.12 : 0.5)
        let lesson = (min(max(ratio, 0.6), 1.7) - 1) * 0.06
        let scale = Self.index(scale)
        if scale > 0 { scaleFactors[scale] *= 1 + lesson }
        let (index, fraction) = Self.place(quality)
        curve[index] *= 1 + lesson * (1 - fraction)
        curve[index + 1] *= 1 + lesson * fraction
        // A better picture is never a smaller one.
        for index in curve.indices.dropFirst() { curve[index] = max(curve[index], curve[index - 1] * 1.02) }
    }

    /// The best quality within the range whose picture has at most `bytes`;
    /// nil if even the lowest has more.
    func quality(within range: ClosedRange<Int>, scale: PictureScale, bytes: Double) -> Int? {
        range.last { self.bytes(quality: $0, scale: scale) <= bytes }
    }
}
