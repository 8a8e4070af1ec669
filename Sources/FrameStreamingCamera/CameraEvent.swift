public import FrameStreamingCore

/// Something that happened to a camera beside pictures: for a log.
public struct CameraEvent: Sendable, CustomStringConvertible {
    /// What happened. The set is open: a `switch` needs a `default`.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String { case opened, converting, restarted, lost, stillLost, restored, controlRefused }
        private let value: Value

        /// The camera streams; ``CameraEvent/message`` says what was granted.
        public static let opened = Kind(value: .opened)
        /// None of the camera's formats is ours: libv4lconvert converts, at the cost of a pass over each picture.
        public static let converting = Kind(value: .converting)
        /// Streaming was stopped and started again, because it stalled or failed.
        public static let restarted = Kind(value: .restarted)
        /// The camera is lost, and looked for.
        public static let lost = Kind(value: .lost)
        /// It was looked for and is not back.
        public static let stillLost = Kind(value: .stillLost)
        /// It is back.
        public static let restored = Kind(value: .restored)
        /// The driver refused the value of a control; the picture comes all the same.
        public static let controlRefused = Kind(value: .controlRefused)

        /// The kind's name.
        public var description: String { value.rawValue }
    }

    /// What happened.
    public let kind: Kind
    /// Words for a person.
    public let message: String
    /// What went wrong, where something did.
    public let error: FrameStreamingError?

    init(_ kind: Kind, _ message: String, error: FrameStreamingError? = nil) {
        self.kind = kind
        self.message = message
        self.error = error
    }

    /// ``message``.
    public var description: String { message }
}
