/// How a recorder begins, and what it promises.
public struct RecordingOptions: Hashable, Sendable {
    /// What to do where there is a recording of that name already.
    ///
    /// An empty file, a directory without `frame-NNNNNN.jpg`, a FIFO and a device are none. A file or directory that another recorder is
    /// writing is locked by it, and is never written by two.
    public enum Existing: Hashable, Sendable {
        /// Takes the next name that is free (``RecordingPath/numbered(_:_:)``): nothing is ever lost.
        case nextName
        /// Throws `alreadyExists`, or `busy` where another recorder is writing it.
        case refuse
        /// Empties it. What another recorder is writing at the moment is not touched: then the next name is taken.
        case replace
    }

    /// What to do where there is a recording already.
    public var existing = Existing.nextName
    /// The number of the first name to try: 1 is the path as it was given.
    public var firstNumber = 1
    /// Whether `write` returns only when the frame is on the disk (fdatasync) and not only with the kernel. The kernel keeps what it was
    /// given when the program is killed, but not when the power fails. FIFOs and devices take no notice.
    public var syncsFrames = false

    /// The defaults: the next name that is free, and no syncing.
    public init(existing: Existing = .nextName, firstNumber: Int = 1, syncsFrames: Bool = false) {
        self.existing = existing
        self.firstNumber = firstNumber
        self.syncsFrames = syncsFrames
    }
}
