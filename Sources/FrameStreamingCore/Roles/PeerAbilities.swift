extension Peer {
    /// What a connection can do besides carrying frames and acknowledgements. Code that depends on
    /// one of these asks for it, and not for the handshake.
    public struct Abilities: OptionSet, Hashable, Sendable {
        /// One bit for each ability.
        public let rawValue: UInt16

        /// Abilities by their bits.
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// The connection measures the peer's clock, so that ages are known.
        public static let clock = Abilities(rawValue: 1 << 0)
        /// An acknowledgement says what happened to the frame. Without this, every acknowledged
        /// frame counts as consumed.
        public static let outcomes = Abilities(rawValue: 1 << 1)
        /// A frame says how many frames were dropped before it.
        public static let skipCounts = Abilities(rawValue: 1 << 2)
        /// A clean end is a goodbye with a code and words. Without this it is a mark behind the
        /// last frame.
        public static let goodbyes = Abilities(rawValue: 1 << 3)
        /// A sender can name its stream.
        public static let streamNames = Abilities(rawValue: 1 << 4)
        /// A stream goes on in the next connection, without a frame twice.
        public static let sessions = Abilities(rawValue: 1 << 5)
        /// The sender takes the receiver's requests.
        public static let requests = Abilities(rawValue: 1 << 6)
        /// The sender answers requests (``Message/requestAnswer(_:)``).
        public static let requestAnswers = Abilities(rawValue: 1 << 7)

        /// All abilities but ``requestAnswers``.
        public static let standard: Abilities = [
            .clock, .outcomes, .skipCounts, .goodbyes, .streamNames, .sessions, .requests,
        ]
    }
}
