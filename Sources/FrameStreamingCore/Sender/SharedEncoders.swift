internal import FrameStreamingSystem

/// The encoder with memory that the links of a sender share, and what it made lately.
final class SharedEncoders: Sendable {
    fileprivate struct State {
        var rules = SharedChain()
        let chain = EncoderChain()
        /// The last encodings by their numbers.
        var encodings: [(frame: UInt64, encoding: ChainedEncoding)] = []
    }

    fileprivate let state = Monitor(State())

    /// Notes that the shared encoder is free.
    fileprivate func noteDone() { state.withLock { $0.rules.noteDone() } }
}

/// The place of one link among the encoders of a codec with memory.
final class LinkEncoder: Sendable {
    private struct State {
        var follower = SharedChain.Follower.none
        /// The link's own encoder.
        var chain: EncoderChain?
    }

    private let shared: SharedEncoders
    private let state = Monitor(State())

    init(_ shared: SharedEncoders) { self.shared = shared }

    /// Has a picture encoded for the link, one at a time, and calls back.
    ///
    /// - Parameters:
    ///   - order: What the link needs.
    ///   - isShared: Whether the sender has other receivers.
    ///   - done: Called with the result, on an encoding thread or at once.
    func encode(
        _ frame: SharedEncoding, _ order: EncodingOrder, isShared: Bool, on pool: EncoderPool,
        _ done: @escaping @Sendable (FrameEncoding, SharedEncoding?) -> Void
    ) {
        guard let picture = frame.raw else { return done(.failure(.cancelled("encoding")), nil) }
        let (encoding, isNew) = state.withLock { link in
            shared.state.withLock { shared in
                choose(frame, picture, order, isShared, &link, &shared)
            }
        }
        encoding.whenDone { result, encoded in done(result, encoded.map { SharedEncoding($0, madeOf: frame) }) }
        if isNew { pool.submit(encoding) }
    }

    private func choose(
        _ frame: SharedEncoding, _ picture: Frame, _ order: EncodingOrder, _ isShared: Bool, _ link: inout State,
        _ shared: inout SharedEncoders.State
    ) -> (ChainedEncoding, isNew: Bool) {
        let choice = shared.rules.choose(
            frame.number, for: link.follower, standsAlone: order.standsAlone, isShared: isShared, at: .now)
        switch choice {
        case .join(let number):
            if let known = shared.encodings.first(where: { $0.frame == number }) {
                link = State(follower: .shared(number))
                return (known.encoding, false)
            }
            preconditionFailure("the shared encoder's frame \(number) is not kept")
        case .begin(let number, let standsAlone):
            let order = EncodingOrder(standsAlone: standsAlone, byteTarget: order.byteTarget)
            let encoding = ChainedEncoding(picture, by: shared.chain, order) {
                [encoders = self.shared] _, _ in encoders.noteDone()
            }
            shared.encodings.append((number, encoding))
            if shared.encodings.count > SharedChain.memory { shared.encodings.removeFirst() }
            link = State(follower: .shared(number))
            return (encoding, true)
        case .apart(let standsAlone):
            let chain: EncoderChain
            if !standsAlone, let own = link.chain { chain = own } else { chain = EncoderChain() }
            link = State(follower: .apart, chain: chain)
            // A new encoder's first frame stands alone in any case.
            let order = EncodingOrder(standsAlone: standsAlone, byteTarget: order.byteTarget)
            return (ChainedEncoding(picture, by: chain, order) { _, _ in }, true)
        }
    }
}
