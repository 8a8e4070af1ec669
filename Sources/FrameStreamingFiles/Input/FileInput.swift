import FrameStreamingCore
import FrameStreamingSystem

/// A file, a FIFO or standard input, read with deadlines.
///
/// A descriptor that is shared with other programs (standard input) is polled before each read. It
/// is never made non-blocking, because that would change it for them too.
struct FileInput: Sendable {
    /// The input's name in errors.
    let name: String
    /// The bytes from the start of reading to the end of a regular file; nil for anything else,
    /// which can be read only once.
    let size: Int?
    /// Whether frames come at the input's own pace: from a pipe, a FIFO, a socket, a device.
    let hasOwnPace: Bool
    /// Whether it is a character device, which is live by its nature.
    let isDevice: Bool
    /// When the bytes arrived. Not used for an input without a pace of its own.
    private(set) var arrival: ArrivalMonitor
    private let clock: any FrameClock
    private let descriptor: Descriptor
    private let origin: Int
    /// Whether a read without data returns at once.
    private let neverBlocks: Bool
    /// Whether a byte has arrived. Before the first, a FIFO without a writer reads as ended, and
    /// only poll tells the difference.
    private var started = false
    private var ended = false
    /// Bytes that were looked at, and not read yet.
    private var peeked: [UInt8] = []
    /// Whether this is standard input by the name "-".
    let isStandardInput: Bool

    /// Opens `path`; "-" is standard input, which stays open.
    ///
    /// - Parameter clock: The source of the time of arrivals.
    init(path: String, clock: any FrameClock = SystemClock()) throws(FrameStreamingError) {
        if path == "-" {
            try self.init(
                Descriptor(0, owned: false), name: "standard input", neverBlocks: false, isStandardInput: true,
                clock: clock)
            return
        }
        try Self.checkIsNoURL(path)
        let descriptor: Descriptor
        do throws(SystemError) {
            descriptor = try Descriptor.openNonBlocking(path)
        } catch {
            throw FrameStreamingError(error, subject: path, remedy: "name a file that exists and is readable")
        }
        try self.init(descriptor, name: path, neverBlocks: true, clock: clock)
    }

    /// Reads from an open descriptor, from its current position.
    init(
        _ descriptor: Descriptor, name: String, neverBlocks: Bool = false, isStandardInput: Bool = false,
        clock: any FrameClock = SystemClock()
    ) throws(FrameStreamingError) {
        self.clock = clock
        self.isStandardInput = isStandardInput
        self.descriptor = descriptor
        self.name = name
        self.neverBlocks = neverBlocks
        let kind: Descriptor.Kind
        do throws(SystemError) {
            let details = try descriptor.details()
            kind = details.kind
            origin = kind == .regular ? try descriptor.position() : 0
            size = kind == .regular ? max(0, details.size - origin) : nil
            hasOwnPace = kind == .fifo || kind == .socket || kind == .character
            isDevice = kind == .character
            arrival = ArrivalMonitor(openedAt: clock.now)
        } catch {
            throw FrameStreamingError(error, subject: name, remedy: "name something readable")
        }
        if kind == .directory {
            throw FrameStreamingError(
                .invalidArgument, "is a directory: name a file in it", subject: name, errno: Errno.isDirectory)
        }
        if size == 0 { throw empty }
    }

    /// Refuses an address, and says which programs read it.
    private static func checkIsNoURL(_ path: String) throws(FrameStreamingError) {
        guard let colon = path.firstIndex(of: ":"), path[colon...].hasPrefix("://") else { return }
        let scheme = path[..<colon].lowercased()
        guard let first = scheme.utf8.first, (0x61...0x7A).contains(first),
            scheme.utf8.allSatisfy({
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || [0x2B, 0x2D, 0x2E].contains($0)
            })
        else { return }
        let convert = "ffmpeg -i URL -pix_fmt yuv420p -f yuv4mpegpipe -"
        let remedy =
            switch scheme {
            case "file": "give its path alone"
            case "http", "https":
                "let curl -sN URL write a camera's MJPEG to standard input, or \(convert) any other video"
            default: "let \(convert) write its pictures to standard input"
            }
        throw FrameStreamingError(.unsupported, "is a URL, and only files and pipes are read: \(remedy)", subject: path)
    }

    /// Returns the next bytes without reading them: `count`, or fewer at the end.
    ///
    /// - Throws: `timedOut` when they had not arrived by the deadline; those that had are kept.
    mutating func peek(_ count: Int, until deadline: Deadline) throws(FrameStreamingError) -> [UInt8] {
        while peeked.count < count {
            var more = [UInt8](repeating: 0, count: count - peeked.count)
            let got = try readNew(into: &more, until: deadline)
            if got == 0 { break }
            peeked += more.prefix(got)
        }
        return Array(peeked.prefix(count))
    }

    /// Returns the next bytes without reading them: those that were returned before, and what one
    /// more read brings; nothing more at the end.
    ///
    /// - Throws: `timedOut` when nothing had arrived by the deadline.
    mutating func peekFurther(until deadline: Deadline) throws(FrameStreamingError) -> [UInt8] {
        let most = size.map { max(4096, $0 - peeked.count) } ?? .max
        var more = [UInt8](repeating: 0, count: min(64 * 1024, most))
        let got = try readNew(into: &more, until: deadline)
        peeked += more.prefix(got)
        return peeked
    }

    private mutating func readNew(into array: inout [UInt8], until deadline: Deadline) throws(FrameStreamingError)
        -> Int
    {
        var span = array.mutableSpan
        // Bytes of UInt8: every value is valid.
        var bytes = unsafe span.mutableBytes
        return try readNew(into: &bytes, at: 0, until: deadline)
    }

    /// The error for an input that ends before its first byte.
    var empty: FrameStreamingError {
        FrameStreamingError(
            .truncatedInput, "is empty: no byte arrived; did the program that writes it fail?", subject: name)
    }

    /// Refuses to loop over an input that can be read only once.
    func checkLoop(_ loop: Bool) throws(FrameStreamingError) {
        guard loop, size == nil else { return }
        throw FrameStreamingError(
            .unsupported, "cannot be read again from the start: loop over a regular file instead", subject: name)
    }

    /// Goes back to `offset` bytes behind the start of reading.
    mutating func rewind(to offset: Int) throws(FrameStreamingError) {
        do throws(SystemError) {
            try descriptor.seek(to: origin + offset)
        } catch {
            throw FrameStreamingError(error, subject: name, remedy: "it cannot be read again from the start")
        }
        ended = false
        peeked = []
    }

    /// Reads once, into `bytes` from `offset` on; 0 at the end.
    ///
    /// - Throws: `timedOut` when nothing had arrived by the deadline.
    mutating func read(
        into bytes: inout MutableRawSpan, at offset: Int, until deadline: Deadline
    ) throws(FrameStreamingError) -> Int {
        guard !peeked.isEmpty else { return try readNew(into: &bytes, at: offset, until: deadline) }
        let count = min(peeked.count, bytes.byteCount - offset)
        for index in 0..<count { bytes.storeBytes(of: peeked[index], toByteOffset: offset + index, as: UInt8.self) }
        peeked.removeFirst(count)
        return count
    }

    private mutating func readNew(
        into bytes: inout MutableRawSpan, at offset: Int, until deadline: Deadline
    ) throws(FrameStreamingError) -> Int {
        if ended { return 0 }
        var mayBlock = size == nil && !(neverBlocks && started)
        if hasOwnPace { arrival.begins(at: clock.now) }
        var hasBytes = false
        defer { if hasOwnPace { arrival.returned(withBytes: hasBytes, at: clock.now) } }
        while true {
            if mayBlock { try waitForInput(until: deadline) }
            do throws(SystemError) {
                let count = try descriptor.read(into: &bytes, at: offset)
                hasBytes = count > 0
                started = started || hasBytes
                ended = count == 0
                return count
            } catch {
                // No data yet, or another program that shares the descriptor took it.
                guard error.code == Errno.again else { throw failed(error) }
                mayBlock = true
            }
        }
    }

    /// Reads once, into an array's elements.
    mutating func read(
        into array: inout [UInt8], at offset: Int, until deadline: Deadline
    ) throws(FrameStreamingError) -> Int {
        var span = array.mutableSpan
        // Bytes of UInt8: every value is valid.
        var bytes = unsafe span.mutableBytes
        return try read(into: &bytes, at: offset, until: deadline)
    }

    private mutating func waitForInput(until deadline: Deadline) throws(FrameStreamingError) {
        let start = clock.now
        defer { arrival.waited(since: start, at: clock.now) }
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
