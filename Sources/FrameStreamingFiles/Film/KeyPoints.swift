/// Where a film can be entered: the places of some key frames, as evenly spread as there is room.
///
/// A film may become long, so the list has a bound: when it is full, every second place is dropped.
struct KeyPoints: Hashable, Sendable {
    struct Point: Hashable, Sendable {
        /// Microseconds since the first frame.
        var stamp: Int64
        /// The place in the file.
        var offset: Int
    }

    static let mostPoints = 4_096

    private(set) var points: [Point] = []
    /// The shortest time between two, in microseconds.
    private var interval: Int64 = 500_000

    /// Notes a key frame.
    mutating func add(_ stamp: Int64, at offset: Int) {
        if let last = points.last, stamp - last.stamp < interval { return }
        points.append(Point(stamp: stamp, offset: offset))
        guard points.count == Self.mostPoints else { return }
        points = stride(from: 0, to: points.count, by: 2).map { points[$0] }
        interval *= 2
    }
}
