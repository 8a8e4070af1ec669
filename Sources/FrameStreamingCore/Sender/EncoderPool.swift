internal import FrameStreamingSystem

/// The threads of a sender that encode: as many pictures at once as there are threads, first come, first served.
///
/// They start with the first picture that is not compressed: who passes JPEGs on has none.
final class EncoderPool: Sendable {
    private struct State {
        var queue: EncodingQueue<SharedEncoding>
        var settings: EncodeSettings
    }

    private let codec: any FrameCodec
    let count: Int
    private let poller: AcknowledgementPoller
    private let state: Monitor<State>

    /// - Parameter poller: Reads what those say that a frame is sent to when it is encoded.
    init(codec: any FrameCodec, count: Int, settings: EncodeSettings, poller: AcknowledgementPoller) {
        self.codec = codec
        self.count = count
        self.poller = poller
        state = Monitor(State(queue: EncodingQueue(limit: count), settings: settings))
    }

    /// How pictures are encoded from now on.
    var settings: EncodeSettings { state.withLock { $0.settings } }

    func change(_ body: (inout EncodeSettings) -> Void) { state.withLock { body(&$0.settings) } }

    /// Encodes `picture` on one of the threads. Never waits.
    func submit(_ picture: SharedEncoding) {
        switch state.update({ $0.queue.add(picture) }) {
        case .isQueued: return
        case .isRefused: picture.giveUp()
        case .needsThread:
            do throws(SystemError) {
                _ = try SystemThread(name: "fs-encode") { self.run() }
            } catch {
                // Those who wait for what is stranded must hear of it.
                for picture in state.update({ $0.queue.threadIsMissing() }) { picture.giveUp() }
            }
        }
    }

    /// Ends the threads; what none has begun is given up.
    func stop() {
        for picture in state.update({ $0.queue.stop() }) { picture.giveUp() }
    }

    private func run() {
        while true {
            state.withLock { $0.queue.rest() }
            let next = state.wait(until: nil) { state in
                state.queue.takeTurn().map { (turn: $0, settings: state.settings) }
            }
            guard let next, case .job(let picture) = next.turn else { return }
            let waiting = picture.encode(with: codec, next.settings)
            poller.duringBurst(of: waiting.count) {
                for sends in waiting { sends() }
            }
        }
    }
}
