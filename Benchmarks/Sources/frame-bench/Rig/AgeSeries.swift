/// How old each picture was when the consumer got it, and what follows from that.
struct AgeSeries {
    struct Point {
        /// Seconds since the stream's start.
        var time: Double
        /// Milliseconds from the picture's time to the consumer's having it.
        var age: Double
    }

    let points: [Point]
    /// Seconds that the points are of.
    let length: Double
    private let sorted: [Double]

    /// The points of an interval, in seconds since the start.
    init(_ all: [Point], from start: Double, to end: Double) {
        points = all.filter { $0.time >= start && $0.time < end }
        length = end - start
        sorted = points.map(\.age).sorted()
    }

    var framesPerSecond: Double { Double(points.count) / length }
    var worst: Double { sorted.last ?? .infinity }

    /// The nearest rank, with a fraction of 0...1.
    func quantile(_ fraction: Double) -> Double {
        guard !sorted.isEmpty else { return .infinity }
        let rank = Int((fraction * Double(sorted.count)).rounded(.up))
        return sorted[min(max(rank, 1), sorted.count) - 1]
    }

    /// Milliseconds of age that each second adds, by least squares: 0 where nothing piles up,
    /// towards 1000 where nearly all does.
    var slope: Double {
        let count = Double(points.count)
        guard count >= 2 else { return .infinity }
        let time = points.reduce(0) { $0 + $1.time } / count
        let age = points.reduce(0) { $0 + $1.age } / count
        let spread = points.reduce(0) { $0 + ($1.time - time) * ($1.time - time) }
        let product = points.reduce(0) { $0 + ($1.time - time) * ($1.age - age) }
        return spread > 0 ? product / spread : .infinity
    }
}
