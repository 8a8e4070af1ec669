internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The streams by their names, in the order in which they came first. Bounded in number, and in the bytes of their pictures: peers
/// choose the names.
final class StreamRegistry: Sendable {
    private struct State {
        var tiles: [StreamTile] = []
        /// Streams that had no place.
        var refused = 0
    }

    private let state = Monitor(State())
    private let remembersEnded: Duration
    let maximumStreams: Int
    let budget: PictureBudget
    private let onPicture: @Sendable () -> Void
    private let onChange: @Sendable () -> Void

    init(
        remembersEnded: Duration, maximumStreams: Int, maximumPictureBytes: Int,
        onPicture: @escaping @Sendable () -> Void, onChange: @escaping @Sendable () -> Void
    ) {
        self.remembersEnded = remembersEnded
        self.maximumStreams = maximumStreams
        budget = PictureBudget(limit: maximumPictureBytes)
        self.onPicture = onPicture
        self.onChange = onChange
    }

    /// The tile for a name that a stream gives itself: the one that it had, where it comes back; else a new one, numbered where
    /// somebody else has the name. Where all places are taken, the stream that ended first leaves its place; where all are live,
    /// the tile is one that is not listed.
    func enter(_ wanted: String, peer: String, session: UInt64) -> (StreamTile, owner: Int) {
        let name = Self.safe(wanted)
        // The owner enters under the same lock, so that nobody takes a tile out meanwhile.
        let entered = state.withLock { state in
            let tile = place(name, session, &state)
            return (tile, owner: tile.enter(peer: peer, session: session))
        }
        onChange()
        return entered
    }

    private func place(_ name: String, _ session: UInt64, _ state: inout State) -> StreamTile {
        forget(&state)
        // A session that comes back has the tile that it had, whatever its number.
        if session != 0, let own = state.tiles.first(where: { $0.state.withLock { $0.session == session } }) {
            return own
        }
        let names = Set(state.tiles.lazy.map(\.name))
        var candidate = name
        var count = 1
        while names.contains(candidate) {
            if let taken = state.tiles.first(where: { $0.name == candidate }), taken.isFree(for: session) {
                return taken
            }
            count += 1
            candidate = "\(name)-\(count)"
        }
        let hasPlace = state.tiles.count < maximumStreams || forgetFirstEnded(&state)
        let tile = StreamTile(
            name: candidate, budget: budget, isListed: hasPlace, makeRoom: { [weak self] in self?.makeRoom(for: $0) },
            onPicture: onPicture, onChange: onChange)
        if hasPlace { state.tiles.append(tile) } else { state.refused += 1 }
        return tile
    }

    /// All that are listed now.
    var tiles: [StreamTile] {
        state.withLock { state in
            forget(&state)
            return state.tiles
        }
    }

    /// How many streams were refused a place, since the server's start.
    var refused: Int { state.withLock { $0.refused } }

    func tile(named name: String) -> StreamTile? { tiles.first { $0.name == name } }

    /// Takes out what ended long enough ago.
    private func forget(_ state: inout State) {
        let now = MonotonicTime.now
        state.tiles.removeAll { tile in
            guard tile.isForgotten(after: remembersEnded, at: now) else { return false }
            tile.dropPicture()
            return true
        }
    }

    /// Takes out the stream that ended first. False where none has.
    private func forgetFirstEnded(_ state: inout State) -> Bool {
        let ended = state.tiles.indices.compactMap { index in state.tiles[index].left.map { (index, $0) } }
        guard let first = ended.min(by: { $0.1 < $1.1 }) else { return false }
        state.tiles.remove(at: first.0).dropPicture()
        return true
    }

    /// Makes room for a picture of `wanted` bytes, by dropping pictures of ended streams first, of those that ended first at first, until
    /// half of the bytes are free; half, so that not every picture of a busy server comes here. Then, where there is no room yet, by
    /// dropping larger pictures than this one, the largest first: who sends the largest keeps nobody else's from being shown.
    private func makeRoom(for wanted: Int) {
        let tiles = state.withLock { $0.tiles }
        let ended = tiles.compactMap { tile in tile.left.map { (tile, $0) } }
        for (tile, _) in ended.sorted(by: { $0.1 < $1.1 }) {
            if budget.bytes <= budget.limit / 2 { break }
            tile.dropPicture(onlyIfEnded: true)
        }
        let larger = tiles.map { ($0, $0.pictureBytes) }.filter { $0.1 > wanted }
        for (tile, _) in larger.sorted(by: { $0.1 > $1.1 }) {
            if budget.limit - budget.bytes >= wanted { break }
            tile.dropPicture()
        }
    }

    /// A name that is fit to be shown and to stand in an address: a peer chose it.
    static func safe(_ wanted: String) -> String {
        let name = safeWords(wanted, longest: longestName)
        // Path segments that mean something else.
        return name.isEmpty || name == "." || name == ".." ? "stream" : name
    }

    /// A peer's words on one line, without what cannot be seen, and cut to `longest` characters.
    static func safeWords(_ wanted: String, longest: Int) -> String {
        var scalars = String.UnicodeScalarView()
        // A character may have any number of scalars: both are bounded.
        for scalar in wanted.unicodeScalars.prefix(longest * 8) {
            switch scalar.properties.generalCategory {
            // Line ends, invisible marks, and those that turn the direction of writing: what is seen would not be what it is.
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
