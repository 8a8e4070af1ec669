/// Bounds the cost of one decode, beside the bound of the frame's size.
struct ScanLimits: Hashable, Sendable {
    /// The largest number of scans.
    var scans: Int
    /// The largest number of samples that all scans together cover.
    var samples: Int
    /// The largest width times height. A larger JPEG is refused for its size, so its scans are not
    /// counted.
    var pixels: Int

    /// No bounds, for JPEGs that this codec wrote itself.
    static let none = ScanLimits(scans: .max, samples: .max, pixels: .max)
}
