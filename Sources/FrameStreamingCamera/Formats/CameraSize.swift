/// A frame size that a camera delivers, or a range of sizes.
public struct CameraSize: Hashable, Sendable, CustomStringConvertible {
    /// The width in pixels; of a range, the smallest.
    public let width: Int
    /// The height in pixels; of a range, the smallest.
    public let height: Int
    /// The largest width in pixels; equal to ``width`` for a single size.
    public let maximumWidth: Int
    /// The largest height in pixels; equal to ``height`` for a single size.
    public let maximumHeight: Int
    /// The distance between two widths in pixels, at least 1.
    public let widthStep: Int
    /// The distance between two heights in pixels, at least 1.
    public let heightStep: Int

    init(width: Int, height: Int) {
        self.init(minimum: (width, height), maximum: (width, height), step: (1, 1))
    }

    init(minimum: (Int, Int), maximum: (Int, Int), step: (Int, Int)) {
        (width, height) = minimum
        maximumWidth = max(minimum.0, maximum.0)
        maximumHeight = max(minimum.1, maximum.1)
        widthStep = max(1, step.0)
        heightStep = max(1, step.1)
    }

    /// Whether this is a single size.
    public var isDiscrete: Bool { width == maximumWidth && height == maximumHeight }

    /// Returns the size in the range that is nearest to the wanted one.
    func nearest(_ wantedWidth: Int, _ wantedHeight: Int) -> (width: Int, height: Int) {
        func nearest(_ wanted: Int, _ low: Int, _ high: Int, _ step: Int) -> Int {
            let inside = min(max(wanted, low), high)
            return low + (inside - low + step / 2) / step * step > high
                ? low + (high - low) / step * step : low + (inside - low + step / 2) / step * step
        }
        return (
            nearest(wantedWidth, width, maximumWidth, widthStep),
            nearest(wantedHeight, height, maximumHeight, heightStep)
        )
    }

    /// The size or the range: `640x480`, `48x32...1920x1080 by 8x8`.
    public var description: String {
        isDiscrete
            ? "\(width)x\(height)"
            : "\(width)x\(height)...\(maximumWidth)x\(maximumHeight) by \(widthStep)x\(heightStep)"
    }
}
