@testable import FrameStreamingCore

/// A frame that is nothing but its number.
struct NumberedFrame: QueueableFrame, Hashable {
    var number: Int
    var offered: MonotonicTime
    /// Its size, for a frame that was compressed from the start; nil = it is to be encoded.
    var bytes: Int?

    var captureTime: CaptureTime? { nil }
    var encoding: FrameEncoding? { bytes.map { .success(bytes: $0, nanoseconds: 0, settings: nil) } }
}

extension ReceiverSession {
    /// What is to be done after an event, in order.
    mutating func actions(after event: Event, at now: MonotonicTime) -> Actions {
        var actions = Actions()
        handle(event, at: now, &actions)
        return actions
    }
}
