/// Decides which encoder with memory compresses a picture for a link: the one that all links share
/// which keep up, or one of the link's own.
///
/// A shared encoder costs one encoding for any number of receivers. It serves a link only as long as
/// the link sends everything that it makes, because each frame depends on the one before. A link that
/// missed one has its own encoder, until a picture that both take stands alone.
struct SharedChain: Hashable, Sendable {
    /// What a link sent last.
    enum Follower: Hashable, Sendable {
        /// Nothing yet.
        case none
        /// The frame of the shared encoder with this number.
        case shared(UInt64)
        /// A frame of its own encoder.
        case apart
    }

    enum Choice: Hashable, Sendable {
        /// The shared encoder's frame with this number is of that picture, and suits the link.
        case join(UInt64)
        /// The shared encoder takes the picture, as its frame with this number.
        case begin(UInt64, standsAlone: Bool)
        /// The link's own encoder takes it. If the result must stand alone, a new one does, because the
        /// present one may still be encoding a picture that is not sent any more.
        case apart(standsAlone: Bool)
    }

    /// A picture that the shared encoder took.
    private struct Taken: Hashable, Sendable {
        let picture: UInt64
        let frame: UInt64
        let standsAlone: Bool
    }

    /// Receivers that join, and those that lost a picture, may have the shared encoder make a frame that
    /// stands alone so often, because it is larger for all. Until then they have an encoder of their own.
    static let keyInterval = Duration.seconds(1)
    /// How many pictures a link may be behind the first.
    static let memory = 4

    private var taken: [Taken] = []
    private var last: UInt64 = 0
    /// Whether the shared encoder has a picture.
    private(set) var isBusy = false
    private var lastKey: MonotonicTime?

    /// - Parameters:
    ///   - picture: The picture's number; newer ones have larger numbers.
    ///   - follower: What the link sent last.
    ///   - standsAlone: Whether the frame must stand alone.
    ///   - isShared: Whether the sender has other receivers.
    mutating func choose(
        _ picture: UInt64, for follower: Follower, standsAlone: Bool, isShared: Bool, at now: MonotonicTime
    ) -> Choice {
        let isApart = follower == .apart
        let begins = standsAlone || follower == .none
        if let same = taken.first(where: { $0.picture == picture }) {
            if same.standsAlone || !begins && follower == .shared(same.frame - 1) { return .join(same.frame) }
            return .apart(standsAlone: begins || !isApart)
        }
        guard !isBusy, picture > taken.last?.picture ?? 0 else { return .apart(standsAlone: begins || !isApart) }
        if !begins {
            guard follower == .shared(last) else { return .apart(standsAlone: !isApart) }
            return begin(picture, standsAlone: false)
        }
        if isShared, let lastKey, now < lastKey.advanced(by: Self.keyInterval) { return .apart(standsAlone: true) }
        lastKey = now
        return begin(picture, standsAlone: true)
    }

    private mutating func begin(_ picture: UInt64, standsAlone: Bool) -> Choice {
        last += 1
        isBusy = true
        taken.append(Taken(picture: picture, frame: last, standsAlone: standsAlone))
        if taken.count > Self.memory { taken.removeFirst() }
        return .begin(last, standsAlone: standsAlone)
    }

    /// The shared encoder has encoded its picture, or failed.
    mutating func noteDone() { isBusy = false }
}
