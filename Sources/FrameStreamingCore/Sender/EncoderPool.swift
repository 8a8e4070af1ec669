internal import FrameStreamingSystem

/// The encoding threads of a sender, which encode pictures in the order of their arrival.
///
/// They start with the first picture that is not encoded yet, so a sender of JPEGs has none.
final class EncoderPool: Sendable {
    private struct State {
        var queue: EncodingQueue<SharedEncoding>
        var settings: EncodeSettings
    }

    private let codec: any FrameCodec
    /// The formats of frames that are sent as they are.
    private let passedOn: [PixelFormat]
    let count: Int
    private let poller: AcknowledgementPoller
    private let state: Monitor<State>

    /// - Parameter poller: Reads the acknowledgements of the receivers
    ///   to which an encoded frame is sent.
    init(codec: any FrameCodec, count: Int, settings: EncodeSettings, poller: AcknowledgementPoller) {
        self.codec = codec
        passedOn = [.jpeg] + codec.encodedFormats
        self.count = count
        self.poller = poller
        state = Monitor(State(queue: EncodingQueue(limit: count), settings: settings))
    }

    /// Prepares a frame of the source for any number of receivers. One that is encoded already is
    /// never submitted.
    ///
    /// - Throws: `invalidArgument` for a frame that no connection carries.
    func prepare(_ frame: Frame) throws(FrameStreamingError) -> SharedEncoding {
        try frame.checkMetadata()
        return SharedEncoding(frame, isEncoded: passedOn.contains(frame.format.pixelFormat), offered: .now)
    }

    /// The settings for pictures from now on.
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
                // Links that wait for such a picture must be notified.
                for picture in state.update({ $0.queue.threadIsMissing() }) { picture.giveUp() }
            }
        }
    }

    /// Ends the threads. Pictures that none has begun are given up.
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
