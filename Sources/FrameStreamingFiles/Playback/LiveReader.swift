package import FrameStreamingCore
package import FrameStreamingSystem

/// An input that a ``LiveReader`` can read. One thread at a time uses it.
package protocol LiveInput: SendableMetatype {
    /// Waits for the first bytes, and tells which thread reads the input from there on.
    func mode(until deadline: Deadline) throws(FrameStreamingError) -> LiveInbox.Mode
    /// The next event, or nil at the end.
    func next(until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent?
}

/// Reads an input on a thread of its own, which waits for the input and for nothing else.
///
/// If the input turns out not to be live, the thread ends with its first bytes, and the caller reads
/// on.
package final class LiveReader: Sendable {
    private let inbox: Monitor<LiveInbox>

    /// How long the thread may take to notice that it is not needed any more.
    private static let slice = Duration.milliseconds(50)

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - input: The input. Only the thread uses it until ``take(until:)`` returns `direct`.
    ///   - mode: Whether the input is live, or its first bytes tell.
    package init(
        _ input: Monitor<some LiveInput>, _ mode: LiveInbox.Mode, _ meter: InputMeter
    ) throws(FrameStreamingError) {
        let inbox = Monitor(LiveInbox(mode))
        self.inbox = inbox
        do throws(SystemError) {
            _ = try SystemThread(name: "fs-read") {
                while Self.step(input, inbox, meter) {}
            }
        } catch {
            throw FrameStreamingError(error, remedy: "no thread could be started to read the input")
        }
    }

    deinit { inbox.update { $0.stop() } }

    /// Whether the input is known to be live.
    package var isLive: Bool { inbox.withLock { if case .live = $0.mode { true } else { false } } }

    /// Takes the next event or frame; nil at the deadline.
    package func take(until deadline: Deadline) -> LiveInbox.Taken? {
        let taken = inbox.wait(until: deadline.nanoseconds) { $0.take() }
        // The thread may wait for room.
        if taken != nil { inbox.wakeAll() }
        return taken
    }

    /// Reads once. Returns false if the thread has nothing more to do.
    private static func step(
        _ input: Monitor<some LiveInput>, _ inbox: Monitor<LiveInbox>, _ meter: InputMeter
    ) -> Bool {
        if inbox.withLock({ $0.isStopped }) { return false }
        do throws(FrameStreamingError) {
            if case .recognizing = inbox.withLock({ $0.mode }) {
                let mode = try input.withLock { input throws(FrameStreamingError) in
                    try input.mode(until: .after(slice))
                }
                inbox.update { $0.recognized(as: mode) }
                if case .direct = mode { return false }
                return true
            }
            guard inbox.wait(until: Deadline.after(slice).nanoseconds, { $0.hasRoom ? true : nil }) ?? false else {
                return true
            }
            let event = try input.withLock { input throws(FrameStreamingError) in
                try input.next(until: .after(slice))
            }
            guard let event else {
                inbox.update { $0.ended(nil) }
                return false
            }
            meter.notes(inbox.update { $0.put(event) })
            return true
        } catch {
            if error.code == .timedOut { return true }
            inbox.update { $0.ended(error) }
            return false
        }
    }
}
