internal import FrameStreamingCore
internal import FrameStreamingSystem

/// What is sent: frames, acknowledgements, news of the source, requests.
extension BinaryConnection {
    func send(_ message: Message, until deadline: Deadline) throws(FrameStreamingError) {
        switch message {
        case .frame(let frame, let info):
            try check(frame, info)
            numbers.withLock { numbers in
                guard numbers.lastCounted < info.sequence else { return }
                // Also where the call is made once more with the same frame.
                numbers.lastCounted = info.sequence
                numbers.underWay.append(frame.byteCount)
            }
            askOnTheWay()
            try writer.send(.frame(info.sequence), until: deadline) { () throws(FrameStreamingError) in
                try self.outgoing(frame, info)
            }
            numbers.withLock { $0.lastSent = max($0.lastSent, info.sequence) }
        case .acknowledgement(let acknowledgement):
            try needRole(.receiver, "acknowledge")
            // Whether or not the sender hears of it: the frame was consumed, and must not come again.
            session?.consumed(acknowledgement.sequence)
            account?.consumed(through: acknowledgement.sequence)
            // Before it, and not behind: the frame that the acknowledgement lets go would be in the answer's way.
            askOnTheWay()
            try acknowledge(acknowledgement)
            life.change { $0.acknowledged = max($0.acknowledged, acknowledgement.sequence) }
        case .sourceLost(let text):
            try needRole(.sender, "tell of the source")
            try writer.send(.sourceLost(text), until: deadline) {
                MessageWriter.Outgoing(WireMessage.sourceLost(text).marshal())
            }
        case .sourceRestored:
            try needRole(.sender, "tell of the source")
            try writer.send(.sourceRestored, until: deadline) {
                MessageWriter.Outgoing(WireMessage.sourceRestored.marshal())
            }
        case .request(let request):
            try check(request)
            try writer.send(.request(request), until: deadline) {
                MessageWriter.Outgoing(WireRequest(request).marshal())
            }
        }
    }

    /// Writes or queues it, and never takes it back: a sender that lacks one would have to end the connection.
    private func acknowledge(_ acknowledgement: Acknowledgement) throws(FrameStreamingError) {
        if try writer.enqueue(MessageWriter.Outgoing(acknowledgement.marshal()), limit: Self.mostAcknowledgements) {
            return
        }
        let error = FrameStreamingError(
            .connectionLost, "the sender sends frames and reads no acknowledgement of them", subject: channel.address)
        writer.fail(error)
        throw error
    }

    private func check(_ request: ReceiverRequest) throws(FrameStreamingError) {
        try needRole(.receiver, "ask the peer for something")
        if case .quality(let quality) = request, !(1...100).contains(quality) {
            throw FrameStreamingError(
                .invalidArgument, "a quality of \(quality) cannot be: 1 (smallest) to 100 (best)")
        }
        guard peer.optionalCapabilities & Hello.takesRequests != 0 else {
            throw FrameStreamingError(
                .unsupported, "this sender takes no requests: update it, or set there what is wanted of it",
                subject: channel.address)
        }
    }

    private func outgoing(_ frame: Frame, _ info: FrameInfo) throws(FrameStreamingError) -> MessageWriter.Outgoing {
        let (packed, byteCount) = try tightlyPacked(frame, from: packingPool)
        guard byteCount <= peer.maximumFrameBytes else {
            throw FrameStreamingError(
                .limitExceeded,
                "a frame of \(byteCount) bytes, but the peer takes at most \(peer.maximumFrameBytes): \(FrameStreamingError.raiseLimit)",
                subject: channel.address)
        }
        var info = info
        info.sendTime = info.sendTime ?? .now
        return MessageWriter.Outgoing(
            FrameHeader(packed, info).marshal(metadata: packed.metadata, imageBytes: byteCount), image: packed,
            imageBytes: byteCount)
    }

    private func check(_ frame: Frame, _ info: FrameInfo) throws(FrameStreamingError) {
        try needRole(.sender, "send frames")
        let last = numbers.withLock { $0.lastSent }
        guard info.sequence == last + 1 else {
            throw FrameStreamingError(
                .invalidArgument, "frame \(info.sequence) cannot follow frame \(last): frames are numbered without gaps"
            )
        }
        guard frame.metadata.count <= Frame.largestMetadata else {
            throw FrameStreamingError(
                .invalidArgument,
                "metadata of \(frame.metadata.count) bytes: at most \(Frame.largestMetadata) travel with a frame")
        }
        guard peer.pixelFormats.isEmpty || peer.pixelFormats.contains(frame.format.pixelFormat) else {
            let taken = peer.pixelFormats.map(\.description).joined(separator: ", ")
            throw FrameStreamingError(
                .unsupported, "the peer does not take \(frame.format.pixelFormat), but \(taken): choose a codec for it",
                subject: channel.address)
        }
    }

    private func needRole(_ needed: TCPRole, _ what: String) throws(FrameStreamingError) {
        guard role == needed else {
            throw FrameStreamingError(.invalidArgument, "the \(role) of a connection cannot \(what)")
        }
    }
}
