@testable import FrameStreamingCore

/// A frame that is nothing but its number.
struct NumberedFrame: QueueableFrame, Hashable {
    var number: Int
    var offered: MonotonicTime
    /// The size of a frame that was compressed from the start; nil = the frame must be encoded.
    var bytes: Int?
    /// What an encoder with memory made of it; nil = it is of the source.
    var made: Difference?

    /// The result of an encoder with memory.
    struct Difference: Hashable {
        /// The number of the frame on which it depends; nil = it stands alone.
        var reference: Int?
    }

    var captureTime: CaptureTime? { nil }
    var hasDecodeWarnings: Bool { false }
    var dependsOnPrevious: Bool { made?.reference != nil }
    var original: NumberedFrame? {
        made == nil ? nil : NumberedFrame(number: number, offered: offered, bytes: bytes)
    }
    var comesEncoded: Bool { bytes != nil }
    var sentFormat: PixelFormat? { .jpeg }
    var encoding: FrameEncoding? { bytes.map { .success(bytes: $0, nanoseconds: 0, settings: nil) } }
}

extension ReceiverSession {
    /// Returns the actions that an event leads to, in order.
    mutating func actions(after event: Event, at now: MonotonicTime) -> Actions {
        var actions = Actions()
        handle(event, at: now, &actions)
        return actions
    }
}
