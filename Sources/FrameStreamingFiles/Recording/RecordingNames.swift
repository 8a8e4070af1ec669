import FrameStreamingCore
import FrameStreamingSystem

/// The names that a recording may have, tried in order until one is free.
struct RecordingNames {
    /// The result of trying a name.
    enum Outcome<Taken> {
        case taken(Taken)
        /// A recording of that name exists; true = another recorder is writing it.
        case exists(isLocked: Bool)
    }

    let path: String
    let options: RecordingOptions

    /// The number of names that are tried.
    private static let count = 1_000_000

    /// Calls `body` with one name after another until it takes one.
    ///
    /// - Throws: `alreadyExists` or `busy` where the options refuse that, and what `body` throws.
    func first<Taken>(
        _ body: (_ name: String, _ number: Int) throws(FrameStreamingError) -> Outcome<Taken>
    ) throws(FrameStreamingError) -> Taken {
        let first = max(1, options.firstNumber)
        for number in first..<(first + Self.count) {
            let name = RecordingPath.numbered(path, number)
            switch try body(name, number) {
            case .taken(let result): return result
            case .exists(let isLocked):
                guard options.existing == .refuse else { continue }
                if isLocked {
                    throw FrameStreamingError(
                        .busy, "another recorder is writing there: give another name, or wait until it has ended",
                        subject: name)
                }
                throw FrameStreamingError(
                    .alreadyExists, "there is a recording already: give another name, or move it away", subject: name)
            }
        }
        throw FrameStreamingError(
            .alreadyExists, "the next \(Self.count) names are taken: give another one", subject: path)
    }
}
