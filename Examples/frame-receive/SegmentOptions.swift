import ArgumentParser
import FrameStreaming

/// The options for recordings in pieces, and for those that begin at a signal.
struct SegmentOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Go on in another file after this time. Segments have the time in their names: out-20261130T104605.123Z.mkv.",
            valueName: "s"))
    var segmentSeconds: Int?

    @Option(help: ArgumentHelp("Go on in another file after this many bytes.", valueName: "n"))
    var segmentBytes: Int?

    @Option(
        help: ArgumentHelp(
            "Remove the oldest segments of this run, so that all of them have no more than this many bytes. A segment then has a quarter of them at most.",
            valueName: "n"))
    var keepBytes: Int?

    @Option(
        help: ArgumentHelp(
            "Record only after SIGUSR1: then the last seconds, which are kept in memory, and what follows.",
            valueName: "s"))
    var preRoll: Int?

    @Option(
        help: ArgumentHelp(
            "The memory for --pre-roll, in bytes for each stream. (default: 67108864)", valueName: "n"))
    var preRollBytes: Int?

    @Option(
        help: ArgumentHelp(
            "End such a recording this long after the last SIGUSR1. (default: with the stream)", valueName: "s"))
    var postRoll: Int?

    /// - Parameter kind: The kind of recording; nil = none.
    func check(_ kind: RecordingKind?) throws {
        let segments: [(String, Int?)] = [
            ("--segment-seconds", segmentSeconds), ("--segment-bytes", segmentBytes), ("--keep-bytes", keepBytes),
        ]
        let others: [(String, Int?)] = [
            ("--pre-roll", preRoll), ("--pre-roll-bytes", preRollBytes), ("--post-roll", postRoll),
        ]
        for (name, value) in segments + others {
            guard let value else { continue }
            guard kind != nil else { throw ValidationError("\(name) is for --record") }
            guard value >= 1, value <= 1 << 60 else { throw ValidationError("\(name) is at least 1, not \(value)") }
        }
        if kind == .directory, let (name, _) = segments.first(where: { $0.1 != nil }) {
            throw ValidationError("\(name) is for files: name one, such as out.mkv")
        }
        for (name, value) in others.dropFirst() where value != nil && preRoll == nil {
            throw ValidationError("\(name) is for --pre-roll")
        }
        for (name, value) in [segments[0], others[0], others[2]] {
            if let value, value > 86_400 * 31 { throw ValidationError("\(name) is 31 days at most, not \(value) s") }
        }
    }

    /// Whether a recording is named by its time.
    var isDated: Bool { plan.hasLimit || preRoll != nil }

    var plan: SegmentPlan {
        let largest = [segmentBytes, keepBytes.map { max(1, $0 / 4) }].compactMap(\.self).min()
        return SegmentPlan(duration: segmentSeconds.map { .seconds($0) }, byteCount: largest)
    }

    var kept: KeptRecordings? { keepBytes.map { KeptRecordings(maximumByteCount: $0) } }

    var ring: PreRoll? {
        preRoll.map { PreRoll(duration: .seconds($0), maximumByteCount: preRollBytes ?? 64 << 20) }
    }
}
