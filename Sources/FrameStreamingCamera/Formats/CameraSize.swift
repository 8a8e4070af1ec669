/// A picture size that a camera has, or a range of them.
public struct CameraSize: Hashable, Sendable, CustomStringConvertible {
    /// Pixels across: the only width, or the smallest.
    public let width: Int
    /// Pixels down: the only height, or the smallest.
    public let height: Int
    /// The largest width; the same as ``width`` where there is one only.
    public let maximumWidth: Int
    /// The largest height; the same as ``height`` where there is one only.
    public let maximumHeight: Int
    /// Widths are so many pixels apart, at least 1.
    public let widthStep: Int
    /// Heights are so many pixels apart, at least 1.
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

    /// Whether it is one size only.
    public var isDiscrete: Bool { width == maximumWidth && height == maximumHeight }

    /// The size of these that is nearest to one that is wanted.
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

    /// `640x480`, or `48x32...1920x1080 by 8x8`.
    public var description: String {
        isDiscrete
            ? "\(width)x\(height)"
            : "\(width)x\(height)...\(maximumWidth)x\(maximumHeight) by \(widthStep)x\(heightStep)"
    }
}
