import FrameStreamingCore
import FrameStreamingSystem

/// Standard output as a recording, by the name `-`.
enum RecordingStandardOutput {
    static let path = "-"

    /// Opens it for one recorder. It stays open when the recorder closes.
    ///
    /// - Throws: `invalidArgument` where it is a terminal, which pictures would put out of order.
    static func open() throws(FrameStreamingError) -> Descriptor {
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
        // Other programs share the descriptor, so it must not become non-blocking. A pipe that is
        // opened once more has a state of its own.
        guard kind == .fifo else { return inherited }
        return (try? Descriptor.openForWriting("/proc/self/fd/1")) ?? inherited
    }
}
