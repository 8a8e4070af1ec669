package import FrameStreamingSystem

/// What every failing call of this package throws: a code to branch on, words for a person that say the remedy, what it
/// happened to, and the system's errno where there is one.
public struct FrameStreamingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is. The set is open: a later version may add codes, so a `switch` needs a `default`.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String, Hashable {
            case timedOut, cancelled, closed, endedWithoutGoodbye, connectionFailed, connectionLost, addressInUse,
                peerFailed
            case unresolvedHost, rejected, protocolViolation, limitExceeded, invalidArgument, unsupported
            case notFound, notPermitted, busy, truncatedInput, malformedInput, corruptImage, sourceLost, system
            case alreadyExists, recordingLost
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
        /// The peer ended the stream because something of its own failed, such as its disk or its source.
        public static let peerFailed = Code(value: .peerFailed)
        /// The address to listen on is taken.
        public static let addressInUse = Code(value: .addressInUse)
        /// The host name has no address.
        public static let unresolvedHost = Code(value: .unresolvedHost)
        /// The peer said no, and why.
        public static let rejected = Code(value: .rejected)
        /// The peer sent bytes that the protocol does not allow.
        public static let protocolViolation = Code(value: .protocolViolation)
        /// Something is larger or more than the configured limit.
        public static let limitExceeded = Code(value: .limitExceeded)
        /// The caller's argument cannot be.
        public static let invalidArgument = Code(value: .invalidArgument)
        /// Valid, but not something that this part can do.
        public static let unsupported = Code(value: .unsupported)
        /// A file, directory or device is not there.
        public static let notFound = Code(value: .notFound)
        /// The system does not permit it.
        public static let notPermitted = Code(value: .notPermitted)
        /// Somebody else uses it.
        public static let busy = Code(value: .busy)
        /// The input ends in the middle of a frame.
        public static let truncatedInput = Code(value: .truncatedInput)
        /// The input is not of the format that it should be.
        public static let malformedInput = Code(value: .malformedInput)
        /// A compressed picture that does not decode.
        public static let corruptImage = Code(value: .corruptImage)
        /// The source of pictures went away.
        public static let sourceLost = Code(value: .sourceLost)
        /// There is a file or directory of that name, and it is to stay as it is.
        public static let alreadyExists = Code(value: .alreadyExists)
        /// Another program removed or changed a recording while it was written. Frames can go on in another one.
        public static let recordingLost = Code(value: .recordingLost)
        /// A system call failed in a way that has no code of its own: see ``FrameStreamingError/errno``.
        public static let system = Code(value: .system)

        /// The code's name.
        public var description: String { value.rawValue }
    }

    /// What kind of failure it is.
    public let code: Code
    /// Words for a person: what happened and what to do. Printable: control characters are escaped, whoever they came from.
    public let message: String
    /// What it happened to: a path, an address, a stream's name. As it is, so print ``description`` rather than this.
    public let subject: String?
    /// The system's error number, where a system call failed.
    public let errno: Int32?

    /// An error with its parts.
    public init(_ code: Code, _ message: String, subject: String? = nil, errno: Int32? = nil) {
        self.code = code
        self.message = String(printable: message, limit: .max)
        self.subject = subject
        self.errno = errno
    }

    /// `subject: message`, as a program prints it: on one line, whatever is in them.
    public var description: String {
        if let subject { "\(String(printable: subject, limit: .max)): \(message)" } else { message }
    }
}

extension FrameStreamingError {
    /// A failed system call, with a code where errno has a common meaning.
    package init(_ error: SystemError, subject: String? = nil, remedy: String? = nil) {
        let words = remedy.map { "\(error.reason): \($0)" } ?? "\(error.reason) (\(error.call))"
        self.init(error.commonCode, words, subject: subject, errno: error.code)
    }

    /// Listening at `address` failed.
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

    package static func cancelled(_ what: String) -> FrameStreamingError {
        FrameStreamingError(.cancelled, "\(what) was cancelled")
    }
}
