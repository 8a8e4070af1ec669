internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The streams by name, in the order of their first appearance. Their number and the bytes of their
/// frames are bounded, because peers choose the names.
final class StreamRegistry: Sendable {
    private struct State {
        var entries: [StreamEntry] = []
        /// The number of streams that had no place.
        var refused = 0
    }

    private let state = Monitor(State())
    private let remembersEnded: Duration
    let maximumStreams: Int
    let budget: PreviewFrameBudget
    /// The command that makes a stream appear, which the page shows while there is none.
    let invitation = Monitor<String?>(nil)
    /// Returns how often peers have reached each limit.
    let limitCounts = Monitor<(@Sendable () -> LimitCounts)?>(nil)
    private let onPicture: @Sendable () -> Void
    private let onChange: @Sendable () -> Void

    init(
        remembersEnded: Duration, maximumStreams: Int, maximumPictureByteCount: Int,
        onPicture: @escaping @Sendable () -> Void, onChange: @escaping @Sendable () -> Void
    ) {
        self.remembersEnded = remembersEnded
        self.maximumStreams = maximumStreams
        budget = PreviewFrameBudget(limit: maximumPictureByteCount)
        self.onPicture = onPicture
        self.onChange = onChange
    }

    /// Returns the entry for a stream's name, and the number of its owner.
    ///
    /// A stream that comes back gets its earlier entry. A new one gets a number behind its name
    /// where another stream has that. If all places are taken, the stream that ended first is
    /// removed; if all are live, the new entry is not listed.
    func claim(_ wanted: String, peer: String, session: UInt64) -> (StreamEntry, owner: Int) {
        let name = Self.safe(wanted)
        // The owner is registered under the same lock, so that no other thread removes the entry
        // meanwhile.
        let entered = state.withLock { state in
            let entry = place(name, session, &state)
            return (entry, owner: entry.claim(peer: peer, session: session))
        }
        onChange()
        return entered
    }

    private func place(_ name: String, _ session: UInt64, _ state: inout State) -> StreamEntry {
        forget(&state)
        // A session that comes back gets its earlier entry, even if that has a number.
        if session != 0, let own = state.entries.first(where: { $0.state.withLock { $0.session == session } }) {
            return own
        }
        let names = Set(state.entries.lazy.map(\.name))
        var candidate = name
        var count = 1
        while names.contains(candidate) {
            if let taken = state.entries.first(where: { $0.name == candidate }), taken.isFree(for: session) {
                return taken
            }
            count += 1
            candidate = "\(name)-\(count)"
        }
        let hasPlace = state.entries.count < maximumStreams || forgetFirstEnded(&state)
        let entry = StreamEntry(
            name: candidate, budget: budget, isListed: hasPlace, makeRoom: { [weak self] in self?.makeRoom(for: $0) },
            onPicture: onPicture, onChange: onChange)
        if hasPlace { state.entries.append(entry) } else { state.refused += 1 }
        return entry
    }

    /// All entries that are listed now.
    var entries: [StreamEntry] {
        state.withLock { state in
            forget(&state)
            return state.entries
        }
    }

    /// The number of streams that were refused a place since the server's start.
    var refused: Int { state.withLock { $0.refused } }

    func entry(named name: String) -> StreamEntry? { entries.first { $0.name == name } }

    /// Removes streams that ended long enough ago.
    private func forget(_ state: inout State) {
        let now = MonotonicTime.now
        state.entries.removeAll { entry in
            guard entry.isForgotten(after: remembersEnded, at: now) else { return false }
            entry.dropPicture()
            return true
        }
    }

    /// Removes the stream that ended first; false if none has ended.
    private func forgetFirstEnded(_ state: inout State) -> Bool {
        let ended = state.entries.indices.compactMap { index in state.entries[index].left.map { (index, $0) } }
        guard let first = ended.min(by: { $0.1 < $1.1 }) else { return false }
        state.entries.remove(at: first.0).dropPicture()
        return true
    }

    /// Makes room for a frame of `wanted` bytes.
    ///
    /// First it drops frames of ended streams, the earliest end first, until half of the bytes are
    /// free. Half, so that a busy server does not come here for every frame. If that does not
    /// suffice, it drops frames larger than this one, the largest first, so that the sender of the
    /// largest frames cannot keep out all others.
    private func makeRoom(for wanted: Int) {
        let entries = state.withLock { $0.entries }
        let ended = entries.compactMap { entry in entry.left.map { (entry, $0) } }
        for (entry, _) in ended.sorted(by: { $0.1 < $1.1 }) {
            if budget.bytes <= budget.limit / 2 { break }
            entry.dropPicture(onlyIfEnded: true)
        }
        let larger = entries.map { ($0, $0.pictureBytes) }.filter { $0.1 > wanted }
        for (entry, _) in larger.sorted(by: { $0.1 > $1.1 }) {
            if budget.limit - budget.bytes >= wanted { break }
            entry.dropPicture()
        }
    }

    /// Makes a peer's name safe to show and to use in an address.
    static func safe(_ wanted: String) -> String {
        let name = safeWords(wanted, longest: longestName)
        // These path segments have another meaning.
        return name.isEmpty || name == "." || name == ".." ? "stream" : name
    }

    /// Returns a peer's text on one line, without invisible characters, cut to `longest`
    /// characters.
    static func safeWords(_ wanted: String, longest: Int) -> String {
        var scalars = String.UnicodeScalarView()
        // A character may have any number of scalars, so both are bounded.
        for scalar in wanted.unicodeScalars.prefix(longest * 8) {
            switch scalar.properties.generalCategory {
            // Line ends, invisible marks, and marks that change the direction of writing would show
            // another text than there is.
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                scalars.append(" ")
            default: scalars.append(scalar)
            }
        }
        let words = String(scalars).split(separator: " ").joined(separator: " ")
        return String(words.prefix(longest))
    }

    private static let longestName = 80
}
