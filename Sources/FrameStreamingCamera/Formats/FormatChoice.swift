internal import FrameStreamingCore

/// Which of a camera's formats to take, when nobody says.
///
/// The size comes first, then the rate, then what costs the codec least: so a JPEG camera is asked for JPEG only where no
/// other format reaches the rate at that size.
struct FormatChoice: Hashable, Sendable {
    /// What a camera can do in one format, at its size nearest to the one that is wanted.
    struct Candidate: Hashable, Sendable {
        let native: NativeFormat
        let width: Int
        let height: Int
        /// Empty = the driver does not tell.
        let rates: [FrameRate]
    }

    let width: Int
    let height: Int
    let rate: FrameRate

    func best(of candidates: [Candidate]) -> Candidate? {
        candidates.min { rank($0) < rank($1) }
    }

    /// Lower is better. A rate within 1 % is the rate: 29.97 is 30.
    private func rank(_ candidate: Candidate) -> (Int, Int, Double, Int) {
        let distance = abs(candidate.width - width) + abs(candidate.height - height)
        let fastest = candidate.rates.map(\.framesPerSecond).max() ?? rate.framesPerSecond
        let missing = max(0, rate.framesPerSecond * 0.99 - fastest)
        // Gray has no colour: the last resort even where it is faster.
        return (distance, candidate.native.pixelFormat == .gray8 ? 1 : 0, missing, candidate.native.cost)
    }
}
