internal import FrameStreamingSystem

/// A picture for one of the encoding threads.
protocol EncodingJob: Sendable {
    /// Encodes it. Returns the callbacks that must be called now.
    func encode(with codec: any FrameCodec, _ settings: EncodeSettings) -> [@Sendable () -> Void]
    /// Marks it as never to be encoded, and calls the callbacks.
    func giveUp()
}

/// The encoding threads of a sender, which encode pictures in the order of their arrival.
///
/// They start with the first picture that is not encoded yet, so a sender of JPEGs has none.
final class EncoderPool: Sendable {
    private struct State {
        var queue: EncodingQueue<any EncodingJob>
        var settings: EncodeSettings
        var lastNumber: UInt64 = 0
    }

    private let codec: any FrameCodec
    /// The formats of frames that are sent as they are.
    private let passedOn: [PixelFormat]
    private let passesOnAll: Bool
    let count: Int
    private let poller: AcknowledgementPoller
    private let state: Monitor<State>
    /// The encoders of a codec with memory; nil for another.
    let shared: SharedEncoders?
    /// For receivers that take none of the codec's formats; nil = there is no such codec.
    let fallback: FallbackEncoders?

    /// - Parameters:
    ///   - fallback: Encodes for receivers that take none of the codec's formats.
    ///   - passesOnJPEG: Whether JPEGs are sent as they are.
    ///   - passesOnAll: Whether all frames are.
    ///   - poller: Reads the acknowledgements of the receivers to which an encoded frame is sent.
    init(
        codec: any FrameCodec, fallback: (any FrameCodec)? = nil, count: Int, settings: EncodeSettings,
        passesOnJPEG: Bool = true, passesOnAll: Bool = false, poller: AcknowledgementPoller
    ) {
        self.passesOnAll = passesOnAll
        self.codec = codec
        passedOn = (passesOnJPEG ? [.jpeg] : []) + codec.encodedFormats
        self.count = count
        self.poller = poller
        state = Monitor(State(queue: EncodingQueue(limit: count), settings: settings))
        shared = codec.hasMemory ? SharedEncoders() : nil
        self.fallback = fallback.map { FallbackEncoders($0, insteadOf: codec.encodedFormats) }
    }

    /// Prepares a frame of the source for any number of receivers. One that is encoded already is
    /// never submitted.
    ///
    /// - Throws: `invalidArgument` for a frame that no connection carries.
    func prepare(_ frame: Frame) throws(FrameStreamingError) -> SharedEncoding {
        try frame.checkMetadata()
        let isEncoded = passesOnAll || passedOn.contains(frame.format.pixelFormat)
        return SharedEncoding(
            frame, isEncoded: isEncoded, number: isEncoded || shared == nil ? 0 : nextNumber(), offered: .now)
    }

    private func nextNumber() -> UInt64 {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    /// The settings for pictures from now on.
    var settings: EncodeSettings { state.withLock { $0.settings } }

    func change(_ body: (inout EncodeSettings) -> Void) { state.withLock { body(&$0.settings) } }

    /// Encodes `picture` on one of the threads. Never waits.
    func submit(_ picture: any EncodingJob) {
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
