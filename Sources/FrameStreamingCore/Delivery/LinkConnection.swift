internal import FrameStreamingSystem

/// A connection of a link: its number, and its messages as events of the session.
///
/// A class, because it is looked up for every frame, and copying an `any Transport` costs a call.
final class LinkConnection: Sendable {
    let number: ConnectionNumber
    let transport: any Transport
    /// Its place in the ``AcknowledgementPoller``; nil = it is not polled.
    let place = Monitor<Int?>(nil)
    private let clock: PeerClock
    /// Whether the round trip is used. A transport measures it once it was read.
    private let measuresRoundTrip: Bool
    /// Whether other receivers get the same encodings.
    private let isShared: @Sendable () -> Bool

    init(
        _ number: ConnectionNumber, _ transport: any Transport, measuresRoundTrip: Bool,
        isShared: @escaping @Sendable () -> Bool
    ) {
        self.number = number
        self.transport = transport
        self.isShared = isShared
        self.measuresRoundTrip = measuresRoundTrip
        clock = PeerClock(transport)
        // Read before the first frame, so that the measurement begins with that frame.
        if measuresRoundTrip { _ = transport.roundTrip }
    }

    var isPolled: Bool { place.withLock { $0 != nil } }

    /// The bytes that have reached the receiver's machine; nil = not known.
    var deliveredBytes: UInt64? { (transport as? any DeliveryProgress)?.deliveredBytes }

    /// Reads the connection on a thread of its own, because it cannot be polled or is about to end.
    func readAlone(for link: ReceiverLink) {
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-receive-acks") { [self] in
                while true {
                    guard let event: ReceiverLink.Session.Event = nextEvent() else { continue }
                    link.handle(event)
                    if case .disconnected = event { break }
                }
                link.noteReaderEnded()
            }
        } catch {
            link.handle(.disconnected(number, .broken(LinkThread.failure(error))))
            link.noteReaderEnded()
        }
    }

    /// Waits for the next event; nil for a message without meaning for a sender.
    private func nextEvent<Frame>() -> SessionEvent<Frame>? {
        do throws(FrameStreamingError) {
            guard let message = try transport.receive(until: .never) else { return leaving() }
            return event(of: message)
        } catch {
            return error.code == .timedOut ? nil : .disconnected(number, .broken(error))
        }
    }

    /// Takes the arrived messages without waiting, for the poller; nil when the connection is over.
    ///
    /// - Parameter messages: Room for them, empty before and afterwards.
    func takeArrived<Frame>(
        from transport: any WatchedTransport, _ messages: inout [Message], _ handle: (SessionEvent<Frame>) -> Void
    ) -> WatchedNeeds? {
        defer { messages.removeAll(keepingCapacity: true) }
        var outcome: Result<WatchedNeeds?, FrameStreamingError>
        do throws(FrameStreamingError) {
            outcome = .success(try transport.receiveArrived(into: &messages))
        } catch {
            outcome = .failure(error)
        }
        for message in messages {
            if let event: SessionEvent<Frame> = event(of: message) { handle(event) }
        }
        switch outcome {
        case .success(let needs?): return needs
        case .success(nil): handle(leaving())
        case .failure(let error): handle(.disconnected(number, .broken(error)))
        }
        return nil
    }

    private func leaving<Frame>() -> SessionEvent<Frame> {
        .disconnected(number, .goodbye(transport.peer.goodbye ?? ""))
    }

    private func event<Frame>(of message: Message) -> SessionEvent<Frame>? {
        switch message {
        case .acknowledgement(let word):
            .acknowledged(
                number, word, roundTrip: measuresRoundTrip ? clock.roundTrip(transport) : nil,
                clock: clock.estimate(transport)
            )
        case .request(let request): .requested(number, request, isShared: isShared())
        case .frame, .sourceLost, .sourceRestored, .requestAnswer: nil
        }
    }
}
