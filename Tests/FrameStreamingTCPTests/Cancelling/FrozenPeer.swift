import FrameStreamingCore
import FrameStreamingSystem
import RawSockets
import Testing

@testable import FrameStreamingTCP

/// Far longer than a test may take: where a wait of this length ends, a cancel has ended it.
let longest = Duration.seconds(600)

extension TCPOptions {
    /// Options whose limits end nothing while a test runs.
    static var patient: TCPOptions {
        var options = TCPOptions()
        options.handshakeTimeout = longest
        options.standstillTimeout = longest
        options.answerTimeout = longest
        options.userTimeout = longest
        options.minimumRate = 0
        return options
    }
}

extension SenderOptions {
    /// Options whose limits end nothing while a test runs.
    static func patient(_ policy: DeliveryPolicy) -> SenderOptions {
        var options = SenderOptions(policy: policy)
        options.sendTimeout = longest
        options.drainTimeout = longest
        options.stallTimeout = longest
        options.incomingStallTimeout = longest
        options.incomingReturnTimeout = longest
        options.stopTimeout = longest
        options.finishTimeout = longest
        return options
    }
}

extension ReceiverPatience {
    /// Limits that end nothing while a test runs.
    static var patient: ReceiverPatience {
        var patience = ReceiverPatience()
        patience.ordinary = longest
        patience.afterStop = longest
        return patience
    }
}

/// Frames from the second on keep the source waiting, as a camera that stalls does.
struct StallingSource: FrameSource {
    let isLive: Bool
    var first: Frame?

    mutating func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        if let frame = first.take() { return .frame(frame) }
        if let limit = deadline.time { SystemClock().sleep(until: limit) }
        throw .timedOut("a frame")
    }
}

/// Gives out one connection, and then none until it is cancelled.
final class SingleTransportProvider: TransportProvider {
    private struct State {
        var transport: (any Transport)?
        var isCancelled = false
    }

    let address = "single"
    private let state: Monitor<State>

    init(_ transport: any Transport) { state = Monitor(State(transport: transport)) }

    func nextTransport(until deadline: Deadline) throws(FrameStreamingError) -> any Transport {
        enum Outcome { case next(any Transport), cancelled }
        let outcome: Outcome? = state.wait(until: deadline.nanoseconds) { state in
            if state.isCancelled { return .cancelled }
            return state.transport.take().map { .next($0) }
        }
        switch outcome {
        case .next(let transport): return transport
        case .cancelled: throw FrameStreamingError(.cancelled, "the wait for a connection was cancelled")
        case nil: throw .timedOut("a connection")
        }
    }

    func cancel() { state.update { $0.isCancelled = true } }
}

/// A listening port of which the queue of connections is full: the kernel answers no more attempts.
final class SilentAddress: Sendable {
    private let listener: RawListener
    private let waiting: [RawPeer]
    var port: Int { listener.port }

    init() throws {
        let listener = try RawListener()
        self.listener = listener
        var waiting: [RawPeer] = []
        // The kernel takes one more than the backlog. The first attempt that stays unanswered shows
        // that the queue is full.
        while waiting.count < 64 {
            let peer = RawPeer.connecting(to: listener.port, waitingFor: .milliseconds(300))
            waiting.append(peer.peer)
            if !peer.isConnected { break }
        }
        self.waiting = waiting
        try #require(waiting.count < 64, "the listener's queue takes any number of connections")
    }
}
