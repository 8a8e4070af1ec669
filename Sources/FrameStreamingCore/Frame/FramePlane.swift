/// One plane of a frame: its samples and how they are laid out. Valid as long as the frame.
///
/// ```swift
/// let luma = frame.plane(0)
/// for y in 0..<luma.layout.height {
///     let row = luma.row(y)
///     for x in row.indices { sum += Int(row[x]) }
/// }
/// ```
///
/// Every access is checked against the plane's bounds; no unsafe code is needed to read pixels.
public struct FramePlane: ~Escapable {
    /// Stride, bytes of samples in a row, and rows. `offset` is the plane's place in the frame.
    public let layout: PlaneLayout
    /// The plane's bytes, from its first sample to the end of its last row, padding included.
    public let samples: Span<UInt8>

    @_lifetime(copy samples)
    init(_ samples: Span<UInt8>, layout: PlaneLayout) {
        self.samples = samples
        self.layout = layout
    }

    /// The samples of one row, `layout.rowBytes` of them, without the padding behind them.
    ///
    /// - Precondition: `0 <= y < layout.height`.
    @_lifetime(copy self)
    public func row(_ y: Int) -> Span<UInt8> {
        precondition(y >= 0 && y < layout.height, "row \(y) of a plane of \(layout.height) rows")
        let start = y * layout.stride
        return samples.extracting(start..<start + layout.rowBytes)
    }
}
