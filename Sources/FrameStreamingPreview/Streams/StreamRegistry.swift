internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The streams by their names, in the order in which they came first.
final class StreamRegistry: Sendable {
    private struct State {
        var tiles: [StreamTile] = []
        var isClosed = false
    }

    private let state = Monitor(State())
    private let remembersEnded: Duration
    private let onPicture: @Sendable () -> Void
    private let onChange: @Sendable () -> Void

    init(
        remembersEnded: Duration, onPicture: @escaping @Sendable () -> Void, onChange: @escaping @Sendable () -> Void
    ) {
        self.remembersEnded = remembersEnded
        self.onPicture = onPicture
        self.onChange = onChange
    }

    /// The tile for a name that a stream gives itself: the one that it had, where it comes back; else a new one, numbered where
    /// somebody else has the name.
    func enter(_ wanted: String, peer: String, session: UInt64) -> (StreamTile, owner: Int) {
        let name = Self.safe(wanted)
        let tile = state.withLock { state in
            state.tiles.removeAll { $0.isForgotten(after: remembersEnded, at: .now) }
            // A session that comes back has the tile that it had, whatever its number.
            if session != 0, let own = state.tiles.first(where: { $0.state.withLock { $0.session == session } }) {
                return own
            }
            var candidate = name
            var count = 1
            while let taken = state.tiles.first(where: { $0.name == candidate }) {
                if taken.isFree(for: session) { return taken }
                count += 1
                candidate = "\(name)-\(count)"
            }
            let tile = StreamTile(name: candidate, onPicture: onPicture, onChange: onChange)
            state.tiles.append(tile)
            return tile
        }
        return (tile, tile.enter(peer: peer, session: session))
    }

    /// All that are listed now.
    var tiles: [StreamTile] {
        state.withLock { state in
            state.tiles.removeAll { $0.isForgotten(after: remembersEnded, at: .now) }
            return state.tiles
        }
    }

    func tile(named name: String) -> StreamTile? { tiles.first { $0.name == name } }

    /// A name that is fit to be shown and to stand in an address: a peer chose it.
    static func safe(_ wanted: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in wanted.unicodeScalars {
            switch scalar.properties.generalCategory {
            // Line ends, invisible marks, and those that turn the direction of writing: what is seen would not be what it is.
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                scalars.append(" ")
            default: scalars.append(scalar)
            }
        }
        let words = String(scalars).split(separator: " ").joined(separator: " ")
        let name = String(words.prefix(longestName))
        // Path segments that mean something else.
        return name.isEmpty || name == "." || name == ".." ? "stream" : name
    }

    private static let longestName = 80
}
