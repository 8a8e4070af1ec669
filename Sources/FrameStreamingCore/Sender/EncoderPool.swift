internal import FrameStreamingSystem

/// The threads of a sender that encode: as many pictures at once as there are threads, first come, first served.
///
/// They start with the first picture that is not compressed: who passes JPEGs on has none.
final class EncoderPool: Sendable {
    private struct State {
        var jobs: [SharedEncoding] = []
        var settings: EncodeSettings
        var running = 0
        var idle = 0
        var isStopped = false
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
        state = Monitor(State(settings: settings))
    }

    /// How pictures are encoded from now on.
    var settings: EncodeSettings { state.withLock { $0.settings } }

    func change(_ body: (inout EncodeSettings) -> Void) { state.withLock { body(&$0.settings) } }

    /// Encodes `picture` on one of the threads. Never waits.
    func submit(_ picture: SharedEncoding) {
        let (isTaken, needsThread) = state.update { state in
            guard !state.isStopped else { return (false, false) }
            state.jobs.append(picture)
            guard state.running < count, state.idle < state.jobs.count else { return (true, false) }
            state.running += 1
            return (true, true)
        }
        if !isTaken { picture.giveUp() }
        guard needsThread else { return }
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-encode") { self.run() }
        } catch {
            // Where another thread runs, it gets to the job; else nobody does, and those who wait must hear of it.
            let stranded = state.update { state in
                state.running -= 1
                guard state.running == 0 else { return [SharedEncoding]() }
                defer { state.jobs = [] }
                return state.jobs
            }
            for picture in stranded { picture.giveUp() }
        }
    }

    /// Ends the threads; what nobody has begun is given up.
    func stop() {
        let left = state.update { state in
            state.isStopped = true
            defer { state.jobs = [] }
            return state.jobs
        }
        for picture in left { picture.giveUp() }
    }

    private func run() {
        while true {
            state.withLock { $0.idle += 1 }
            let job: (picture: SharedEncoding, settings: EncodeSettings)?? = state.wait(until: nil) { state in
                guard !state.isStopped else { return .some(nil) }
                return state.jobs.isEmpty ? nil : .some((state.jobs.removeFirst(), state.settings))
            }
            state.withLock { $0.idle -= 1 }
            guard let (picture, settings) = job ?? nil else {
                state.withLock { $0.running -= 1 }
                return
            }
            let waiting = picture.encode(with: codec, settings)
            poller.duringBurst(of: waiting.count) {
                for sends in waiting { sends() }
            }
        }
    }
}
