package import FrameStreamingSystem

/// The error that every failing call of this package throws: a code for programs, a message with
/// the remedy for people, the subject of the failure, and the system's errno, if any.
public struct FrameStreamingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of a failure. The set is open: a later version may add codes,
    /// so a `switch` needs a `default`.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String, Hashable {
            case timedOut, cancelled, closed, endedWithoutGoodbye, connectionFailed, connectionLost, addressInUse,
                peerFailed
            case unresolvedHost, rejected, protocolViolation, limitExceeded, invalidArgument, unsupported
            case notFound, notPermitted, busy, truncatedInput, malformedInput, corruptImage, sourceLost, system
            case alreadyExists, recordingLost, notAuthenticated
        }
        private let value: Value

        /// A deadline passed. Nothing was lost: the same call may be made again.
        public static let timedOut = Code(value: .timedOut)
        /// Another thread cancelled.
        public static let cancelled = Code(value: .cancelled)
        /// The object was closed earlier.
        public static let closed = Code(value: .closed)
        /// The peer's stream ended without a goodbye: it was killed, or the link cut.
        public static let endedWithoutGoodbye = Code(value: .endedWithoutGoodbye)
        /// No connection could be made.
        public static let connectionFailed = Code(value: .connectionFailed)
        /// An established connection broke.
        public static let connectionLost = Code(value: .connectionLost)
        /// The peer ended the stream because something of its own
        /// failed, such as its disk or its source.
        public static let peerFailed = Code(value: .peerFailed)
        /// The address to listen on is taken.
        public static let addressInUse = Code(value: .addressInUse)
        /// The host name has no address.
        public static let unresolvedHost = Code(value: .unresolvedHost)
        /// The peer refused, with a reason.
        public static let rejected = Code(value: .rejected)
        /// One side has no credential that the other accepts: a wrong, missing or expired key or
        /// certificate. Nothing was sent or shown.
        public static let notAuthenticated = Code(value: .notAuthenticated)
        /// The peer sent bytes that the protocol does not allow.
        public static let protocolViolation = Code(value: .protocolViolation)
        /// Something is larger or more than the configured limit.
        public static let limitExceeded = Code(value: .limitExceeded)
        /// An argument of the caller is invalid.
        public static let invalidArgument = Code(value: .invalidArgument)
        /// Valid, but this part does not support it.
        public static let unsupported = Code(value: .unsupported)
        /// A file, directory or device does not exist.
        public static let notFound = Code(value: .notFound)
        /// The system does not permit it.
        public static let notPermitted = Code(value: .notPermitted)
        /// It is in use elsewhere.
        public static let busy = Code(value: .busy)
        /// The input ends in the middle of a frame.
        public static let truncatedInput = Code(value: .truncatedInput)
        /// The input is not in the expected format.
        public static let malformedInput = Code(value: .malformedInput)
        /// A compressed picture that does not decode.
        public static let corruptImage = Code(value: .corruptImage)
        /// The source of pictures went away.
        public static let sourceLost = Code(value: .sourceLost)
        /// A file or directory of that name exists and must not be changed.
        public static let alreadyExists = Code(value: .alreadyExists)
        /// Another program removed or changed a recording while it was written.
        /// Frames can be written to another one.
        public static let recordingLost = Code(value: .recordingLost)
        /// A system call failed in a way that has no code of its own:
        /// see ``FrameStreamingError/errno``.
        public static let system = Code(value: .system)

        /// The code's name.
        public var description: String { value.rawValue }
    }

    /// The kind of the failure.
    public let code: Code
    /// What happened and what to do, for people. It is printable: control characters are escaped.
    public let message: String
    /// The subject of the failure: a path, an address, a stream's name. It is not escaped,
    /// so print ``description`` instead.
    public let subject: String?
    /// The system's error number, if a system call failed.
    public let errno: Int32?
    /// The message with a peer's text in full and as it came, for programs. It is not escaped.
    public let wholeMessage: String
    /// The limit that a peer has reached; nil = none.
    public let limit: PeerLimit?

    /// An error with its parts.
    public init(
        _ code: Code, _ message: String, subject: String? = nil, errno: Int32? = nil, limit: PeerLimit? = nil
    ) {
        self.init(code, message, whole: message, subject: subject, errno: errno, limit: limit)
    }

    private init(
        _ code: Code, _ message: String, whole: String, subject: String?, errno: Int32?, limit: PeerLimit?
    ) {
        self.code = code
        self.message = String(printable: message, limit: .max)
        self.subject = subject
        self.errno = errno
        self.limit = limit
        wholeMessage = whole
    }

    /// An error whose message ends with a peer's text, which is cut to 200 characters for people.
    ///
    /// - Parameter message: What is in front of the peer's text.
    package init(_ code: Code, _ message: String, peer text: String, behind: String = "", subject: String? = nil) {
        self.init(
            code, message + String(printable: text) + behind, whole: message + text + behind, subject: subject,
            errno: nil, limit: nil)
    }

    /// The same error about `subject`.
    package func about(_ subject: String?) -> FrameStreamingError {
        FrameStreamingError(code, message, whole: wholeMessage, subject: subject, errno: errno, limit: limit)
    }

    /// `subject: message` on one line, for printing; the message alone without a subject.
    public var description: String {
        if let subject, !subject.isEmpty { "\(String(printable: subject, limit: .max)): \(message)" } else { message }
    }
}

extension FrameStreamingError {
    /// Makes the error of a failed system call, with a code if the errno has a common meaning.
    package init(_ error: SystemError, subject: String? = nil, remedy: String? = nil) {
        let words = remedy.map { "\(error.reason): \($0)" } ?? "\(error.reason) (\(error.call))"
        self.init(error.commonCode, words, subject: subject, errno: error.code)
    }

    /// Makes the error of a failure to listen at `address`.
    package init(listening error: SystemError, on address: String) {
        let remedy: String? =
            switch error.code {
            case Errno.addressInUse: "another program listens there: choose another port, or 0 for a free one"
            case Errno.access: "ports below 1024 are the superuser's: choose a higher one"
            case Errno.addressNotAvailable: "this machine does not have the address: name one of its own"
            default: nil
            }
        self.init(error, subject: address, remedy: remedy)
    }

    package static func timedOut(_ waitedFor: String) -> FrameStreamingError {
        FrameStreamingError(.timedOut, "timed out waiting for \(waitedFor)")
    }

    package static func damagedJPEG(_ what: String) -> FrameStreamingError {
        FrameStreamingError(.corruptImage, "the JPEG is damaged: \(what)")
    }

    package static func cancelled(_ what: String) -> FrameStreamingError {
        FrameStreamingError(.cancelled, "\(what) was cancelled")
    }
}

/// What follows from an error.
extension FrameStreamingError {
    /// Whether the same attempt to connect, or to continue after a break, may succeed later: the
    /// peer is not started yet or is restarted, the cable is unplugged, too many peers are
    /// connected. False for errors that only a change of program or settings mends.
    public var isTransient: Bool {
        switch code {
        case .connectionFailed, .connectionLost, .endedWithoutGoodbye, .timedOut, .unresolvedHost, .busy, .system: true
        default: false
        }
    }

    /// Whether it is a fault of one peer of a listener, and says nothing about the next one.
    var isOfOnePeer: Bool {
        switch code {
        case .protocolViolation, .rejected, .limitExceeded, .busy, .notAuthenticated: true
        default: false
        }
    }

    /// Whether ``Transport/send(_:until:)`` refused the message with this error: nothing of it was
    /// sent, and the connection still works.
    var refusesMessage: Bool {
        switch code {
        case .invalidArgument, .limitExceeded, .unsupported: true
        default: false
        }
    }

    /// The error for frames in a format that the receiver does not take.
    package static func unsuited(
        _ format: PixelFormat, toTaking formats: [PixelFormat], at address: String?
    ) -> FrameStreamingError {
        FrameStreamingError(
            .unsupported,
            "the frames are \(format), and the receiver takes \(PixelFormat.list(formats)) only: choose a source or a codec with one of those",
            subject: address)
    }
}
