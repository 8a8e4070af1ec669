import FrameStreamingCore
import FrameStreamingSystem

/// Standard output as a recording, by the name `-` or the system's names for it.
enum RecordingStandardOutput {
    static let path = "-"
    private static let systemNames: Set<String> = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]

    static func isNamed(_ path: String) -> Bool { path == self.path || systemNames.contains(path) }

    /// What standard output is, and how it can be written to.
    struct Opened {
        let descriptor: Descriptor
        /// Whether a write of more bytes than there is room for waits, and cannot be cancelled.
        let blocks: Bool
    }

    /// Opens it for one recorder. It stays open when the recorder closes.
    ///
    /// - Throws: `invalidArgument` where it is a terminal, which pictures would put out of order.
    static func open() throws(FrameStreamingError) -> Opened {
        let inherited = Descriptor(1, owned: false)
        let kind: Descriptor.Kind
        do throws(SystemError) {
            kind = try inherited.details().kind
        } catch {
            throw FrameStreamingError(error, subject: path, remedy: "standard output is closed: pipe it to a program")
        }
        guard !inherited.isTerminal else {
            throw FrameStreamingError(
                .invalidArgument,
                "standard output is a terminal: pipe it to a program, such as ffmpeg -f mjpeg -i -, or name a file",
                subject: path)
        }
        switch kind {
        case .regular: return Opened(descriptor: inherited, blocks: false)
        // Other programs share the descriptor, so it must not become non-blocking. A pipe that is
        // opened once more has a state of its own; one of another user may not permit it.
        case .fifo:
            guard let own = try? Descriptor.openForWriting("/proc/self/fd/1") else { fallthrough }
            return Opened(descriptor: own, blocks: false)
        default: return Opened(descriptor: inherited, blocks: true)
        }
    }
}
