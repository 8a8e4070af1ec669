/// Decides which recordings of a run are removed, so that all of them together have no more than a
/// certain number of bytes. A value without files.
///
/// It knows only the files that were noted here, so nothing else is ever removed.
public struct KeptRecordings: Hashable, Sendable {
    private struct File: Hashable {
        var path: String
        var byteCount: Int
    }

    /// The bytes that all recordings together may have.
    public let maximumByteCount: Int
    /// Those that ended, the oldest first.
    private var ended: [File] = []
    private var growing: [String: Int] = [:]

    /// - Parameter maximumByteCount: The bytes that all recordings together may have.
    public init(maximumByteCount: Int) { self.maximumByteCount = maximumByteCount }

    /// The bytes of all recordings.
    public var byteCount: Int {
        (ended.map(\.byteCount) + growing.values).reduce(0) { sum, next in
            let (result, overflow) = sum.addingReportingOverflow(next)
            return overflow ? .max : result
        }
    }

    /// Notes that a recording grows by a frame.
    ///
    /// - Parameters:
    ///   - path: The recording.
    ///   - count: The bytes that it will have more.
    /// - Returns: The recordings to remove, which this then forgets: the oldest that have ended.
    public mutating func grows(_ path: String, by count: Int) -> [String] {
        let (sum, overflow) = growing[path, default: 0].addingReportingOverflow(max(0, count))
        growing[path] = overflow ? .max : sum
        return surplus()
    }

    /// Notes that a recording has ended.
    ///
    /// - Parameters:
    ///   - path: The recording.
    ///   - count: The bytes that it has.
    /// - Returns: As ``grows(_:by:)``.
    public mutating func ends(_ path: String, with count: Int) -> [String] {
        growing[path] = nil
        ended.append(File(path: path, byteCount: max(0, count)))
        return surplus()
    }

    private mutating func surplus() -> [String] {
        var removed: [String] = []
        while byteCount > maximumByteCount, !ended.isEmpty { removed.append(ended.removeFirst().path) }
        return removed
    }
}
