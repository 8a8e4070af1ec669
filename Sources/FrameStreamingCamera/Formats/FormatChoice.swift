internal import FrameStreamingCore

/// Chooses one of a camera's formats if the caller does not name one.
///
/// The nearest size wins, then the frame rate, then the format that costs the codec least. So JPEG
/// is chosen only if no other format reaches the rate at that size.
struct FormatChoice: Hashable, Sendable {
    /// One format of the camera, at the size nearest to the wanted one.
    struct Candidate: Hashable, Sendable {
        let native: NativeFormat
        let width: Int
        let height: Int
        /// Empty if the driver does not list them.
        let rates: [FrameRate]
    }

    let width: Int
    let height: Int
    let rate: FrameRate

    func best(of candidates: [Candidate]) -> Candidate? {
        candidates.min { rank($0) < rank($1) }
    }

    /// Ranks a candidate; the lowest rank wins. A rate within 1 % counts as the wanted one, so that
    /// 29.97 is 30.
    private func rank(_ candidate: Candidate) -> (Int, Int, Double, Int) {
        let distance = abs(candidate.width - width) + abs(candidate.height - height)
        let fastest = candidate.rates.map(\.framesPerSecond).max() ?? rate.framesPerSecond
        let missing = max(0, rate.framesPerSecond * 0.99 - fastest)
        // Gray has no colour: it is the last resort even if it is faster.
        return (distance, candidate.native.pixelFormat == .gray8 ? 1 : 0, missing, candidate.native.cost)
    }
}
