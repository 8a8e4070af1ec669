package import FrameStreaming
internal import FoundationEssentials
internal import FrameStreamingSystem
internal import Logging

/// Whether a recording would take the place of an earlier one. The recorders themselves empty what is there, as a program may want.
package enum RecordingPlace {
    /// Whether there is something to lose: a file that is not empty, a directory with pictures of a recording. What holds nothing (FIFOs,
    /// /dev/null, directories with other things) is free.
    package static func isTaken(_ path: String) -> Bool {
        switch try? fileKind(path) {
        case .regular: ((try? Descriptor.openForWriting(path).status())?.size ?? 0) > 0
        case .directory:
            ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).contains { name in
                name.hasPrefix("frame-") && name.hasSuffix(".jpg")
            }
        default: false
        }
    }

    /// Says that what is there will be lost.
    package static func warn(_ path: String, label: String) {
        StandardErrorLog.logger(label: label, level: .warning).warning(
            "what is there is recorded over (--no-overwrite keeps it)", metadata: ["path": "\(path)"])
    }

    /// Says that what is there will be lost, or refuses to record over it.
    package static func check(_ path: String, overwrite: Bool, label: String) throws(FrameStreamingError) {
        guard isTaken(path) else { return }
        guard overwrite else {
            throw FrameStreamingError(
                .invalidArgument,
                "there is a recording already: give another name, or leave --no-overwrite out to lose it",
                subject: path)
        }
        warn(path, label: label)
    }
}
