public import FrameStreamingCore

/// Something that happened to a camera beside pictures: for a log.
public struct CameraEvent: Sendable, CustomStringConvertible {
    /// What happened. The set is open: a `switch` needs a `default`.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String {
            case opened, converting, restarted, lost, stillLost, restored, controlRefused, dropped, damaged
        }
        private let value: Value

        /// The camera streams; ``CameraEvent/message`` says what was granted.
        public static let opened = Kind(value: .opened)
        /// None of the camera's formats is ours: libv4lconvert converts, at the cost of a pass over each picture.
        public static let converting = Kind(value: .converting)
        /// Streaming was stopped and started again, because it stalled or failed. ``CameraEvent/error`` says which.
        public static let restarted = Kind(value: .restarted)
        /// The camera is lost, and looked for after ``CameraEvent/retryAfter``.
        public static let lost = Kind(value: .lost)
        /// It was looked for and is not back; ``CameraEvent/retryAfter`` says when it is looked for again.
        public static let stillLost = Kind(value: .stillLost)
        /// It is back.
        public static let restored = Kind(value: .restored)
        /// The driver refused the value of a control; the picture comes all the same.
        public static let controlRefused = Kind(value: .controlRefused)
        /// The driver dropped pictures: ``CameraEvent/pictures`` of them since that was last told, at most once a second.
        public static let dropped = Kind(value: .dropped)
        /// Pictures that came and were not whole (truncated, short, marked as suspect by the driver, or contradicting themselves):
        /// ``CameraEvent/pictures`` of them since that was last told, at most once a second.
        public static let damaged = Kind(value: .damaged)

        /// The kind's name.
        public var description: String { value.rawValue }
    }

    /// What happened.
    public let kind: Kind
    /// Words for a person.
    public let message: String
    /// What went wrong, where something did.
    public let error: FrameStreamingError?
    /// Of `opened` and `restored`: what the camera agreed to deliver.
    public let granted: CameraFormat?
    /// Of `lost` and `stillLost`: how long until the camera is looked for, 0.25 s to 5 s.
    public let retryAfter: Duration?
    /// Of `dropped` and `damaged`: how many.
    public let pictures: Int?

    package init(
        _ kind: Kind, _ message: String, error: FrameStreamingError? = nil, granted: CameraFormat? = nil,
        retryAfter: Duration? = nil, pictures: Int? = nil
    ) {
        self.kind = kind
        // A device's name is in it, and a device may be as hostile as a peer.
        self.message = String(printable: message, limit: .max)
        self.error = error
        self.granted = granted
        self.retryAfter = retryAfter
        self.pictures = pictures
    }

    /// ``message``.
    public var description: String { message }
}
