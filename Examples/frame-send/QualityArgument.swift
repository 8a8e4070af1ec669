import ArgumentParser

/// A quality, or a range of them.
enum QualityArgument: ExpressibleByArgument, CustomStringConvertible {
    case fixed(Int)
    case range(ClosedRange<Int>)

    init?(argument: String) {
        let possible = 1...100
        if let quality = Int(argument), possible.contains(quality) {
            self = .fixed(quality)
            return
        }
        let parts = argument.split(separator: argument.contains("...") ? "..." : "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let low = Int(parts[0]), let high = Int(parts[1]), possible.contains(low),
            possible.contains(high), low < high
        else { return nil }
        self = .range(low...high)
    }

    /// The best quality of the range.
    var best: Int {
        switch self {
        case .fixed(let quality): quality
        case .range(let range): range.upperBound
        }
    }

    var isRange: Bool {
        if case .range = self { true } else { false }
    }

    var description: String {
        switch self {
        case .fixed(let quality): "\(quality)"
        case .range(let range): "\(range)"
        }
    }
}
