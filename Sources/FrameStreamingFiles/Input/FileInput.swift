import FrameStreamingCore
import FrameStreamingSystem

/// A file, a FIFO or standard input, read with deadlines.
///
/// A descriptor that others share (standard input) is polled before each read and never made non-blocking, as that would
/// change it for them too.
struct FileInput: Sendable {
    /// What it is called in errors.
    let name: String
    /// Bytes from where reading began to the end, where it is a regular file: one that can be read again from the start.
    let size: Int?
    private let descriptor: Descriptor
    private let origin: Int
    /// Whether a read that finds nothing returns at once.
    private let neverBlocks: Bool
    /// Whether a byte has come: before the first, a FIFO without a writer reads as ended, and only poll knows better.
    private var started = false
    private var ended = false

    /// Opens `path`; "-" is standard input, which stays open.
    init(path: String) throws(FrameStreamingError) {
        if path == "-" {
            try self.init(Descriptor(0, owned: false), name: "standard input", neverBlocks: false)
            return
        }
        let descriptor: Descriptor
        do throws(SystemError) {
            descriptor = try Descriptor.openNonBlocking(path)
        } catch {
            throw FrameStreamingError(error, subject: path, remedy: "give a file that is there and may be read")
        }
        try self.init(descriptor, name: path, neverBlocks: true)
    }

    /// Reads from a descriptor that is open already, from where it stands.
    init(_ descriptor: Descriptor, name: String, neverBlocks: Bool = false) throws(FrameStreamingError) {
        self.descriptor = descriptor
        self.name = name
        self.neverBlocks = neverBlocks
        let kind: Descriptor.Kind
        do throws(SystemError) {
            let status = try descriptor.status()
            kind = status.kind
            origin = kind == .regular ? try descriptor.position() : 0
            size = kind == .regular ? max(0, status.size - origin) : nil
        } catch {
            throw FrameStreamingError(error, subject: name, remedy: "give something that can be read")
        }
        if kind == .directory {
            throw FrameStreamingError(
                .invalidArgument, "is a directory: give a file in it", subject: name, errno: Errno.isDirectory)
        }
        if size == 0 { throw empty }
    }

    /// For an input that ends before its first byte.
    var empty: FrameStreamingError {
        FrameStreamingError(
            .truncatedInput, "is empty: not a single byte came; did the program that writes it fail?", subject: name)
    }

    /// Refuses to loop over what cannot be read again.
    func checkLoop(_ loop: Bool) throws(FrameStreamingError) {
        guard loop, size == nil else { return }
        throw FrameStreamingError(
            .unsupported, "cannot be read again from the start: loop over a regular file instead", subject: name)
    }

    /// Goes back to `offset` bytes behind where reading began.
    mutating func rewind(to offset: Int) throws(FrameStreamingError) {
        do throws(SystemError) {
            try descriptor.seek(to: origin + offset)
        } catch {
            throw FrameStreamingError(error, subject: name, remedy: "it cannot be read again from the start")
        }
        ended = false
    }

    /// One read of what is there into `bytes` from `offset` on; 0 at the end.
    ///
    /// - Throws: `timedOut` when nothing had come by the deadline.
    mutating func read(
        into bytes: inout MutableRawSpan, at offset: Int, until deadline: Deadline
    ) throws(FrameStreamingError) -> Int {
        if ended { return 0 }
        var mayBlock = size == nil && !(neverBlocks && started)
        while true {
            if mayBlock { try waitForInput(until: deadline) }
            do throws(SystemError) {
                let count = try descriptor.read(into: &bytes, at: offset)
                started = started || count > 0
                ended = count == 0
                return count
            } catch {
                // Not there yet, or somebody who shares the descriptor was faster.
                guard error.code == Errno.again else { throw failed(error) }
                mayBlock = true
            }
        }
    }

    /// The same into an array's elements.
    mutating func read(
        into array: inout [UInt8], at offset: Int, until deadline: Deadline
    ) throws(FrameStreamingError) -> Int {
        var span = array.mutableSpan
        // Bytes of UInt8: every value is valid.
        var bytes = unsafe span.mutableBytes
        return try read(into: &bytes, at: offset, until: deadline)
    }

    private func waitForInput(until deadline: Deadline) throws(FrameStreamingError) {
        let readiness: Readiness
        do throws(SystemError) {
            readiness = try wait(
                for: PollEvents.input, on: descriptor.raw, until: deadline.nanoseconds, wakeUp: nil)
        } catch {
            throw failed(error)
        }
        if case .ready = readiness { return }
        throw .timedOut("bytes from \(name)")
    }

    private func failed(_ error: SystemError) -> FrameStreamingError {
        FrameStreamingError(error, subject: name, remedy: "it cannot be read any further")
    }
}
