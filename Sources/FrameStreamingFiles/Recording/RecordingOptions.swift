/// How a recorder treats existing recordings, and when a write is complete.
public struct RecordingOptions: Hashable, Sendable {
    /// What to do with an existing recording of the same name.
    ///
    /// An empty file, a directory without pictures of any program, a FIFO, a device and standard
    /// output do not count as recordings. A recorder locks the file or directory that it writes, so
    /// two recorders never share one.
    public enum Existing: Hashable, Sendable {
        /// Takes the next free name (``RecordingPath/numbered(_:_:)``): no recording is ever lost.
        case nextName
        /// Throws `alreadyExists`, or `busy` where another recorder is writing it.
        case refuse
        /// Empties it. If another recorder is writing it at the moment, it stays, and the next name
        /// is taken.
        case replace
    }

    /// What to do with an existing recording.
    public var existing = Existing.nextName
    /// The number of the first name to try; 1 is the path as given.
    public var firstNumber = 1
    /// Whether `write` returns only when the frame is on the disk (fdatasync) and not only with the
    /// kernel.
    ///
    /// The kernel keeps a frame when the program is killed, but not when the power fails. The
    /// option has no effect on FIFOs and devices.
    public var syncsFrames = false

    /// Creates options; the defaults are the next free name, and no syncing.
    public init(existing: Existing = .nextName, firstNumber: Int = 1, syncsFrames: Bool = false) {
        self.existing = existing
        self.firstNumber = firstNumber
        self.syncsFrames = syncsFrames
    }
}
