import FrameStreamingCore
import FrameStreamingSystem

/// A file that grows by whole pictures: each goes out in one call where the kernel takes it, and what of one was written
/// before an error is cut off again.
///
/// A FIFO is opened without blocking, unlike files: who reads it may never come, or stop reading, and a cancel ends both waits.
final class RecordingFile {
    let path: String
    private var descriptor: Descriptor?
    private let cancellation: RecordingCancellation?
    /// Bytes up to the end of the last whole picture.
    private var wholeLength = 0

    /// How often a FIFO is looked at for a reader: the kernel tells nobody that one has come.
    private static let slice: Int64 = 50_000_000

    /// Makes the file, or empties the one that is there; a FIFO's reader is waited for.
    convenience init(path: String, cancellation: RecordingCancellation? = nil) throws(FrameStreamingError) {
        let descriptor: Descriptor?
        do throws(SystemError) {
            descriptor =
                try fileKind(path) == .fifo ? Self.openFIFO(path, cancellation) : Descriptor.create(path)
        } catch {
            throw FrameStreamingError(error, subject: path, remedy: "the recording cannot be made there")
        }
        guard let descriptor else { throw Self.cancelled(path) }
        self.init(descriptor, path: path, cancellation: cancellation)
    }

    /// Writes to a descriptor that is open and empty already.
    init(_ descriptor: Descriptor, path: String, cancellation: RecordingCancellation? = nil) {
        self.descriptor = descriptor
        self.path = path
        self.cancellation = cancellation
    }

    /// Nil: cancelled.
    private static func openFIFO(
        _ path: String, _ cancellation: RecordingCancellation?
    ) throws(SystemError) -> Descriptor? {
        while true {
            do throws(SystemError) {
                return try Descriptor.openForWriting(path)
            } catch {
                guard error.code == Errno.noSuchAddress else { throw error }
            }
            let readiness = try wait(
                for: 0, on: -1, until: monotonicNow() + slice, wakeUp: cancellation?.wakeUp)
            if readiness == .woken { return nil }
        }
    }

    func close() { descriptor = nil }

    /// Writes both runs of bytes, one behind the other, or neither.
    func append(_ first: RawSpan, _ second: RawSpan) throws(FrameStreamingError) {
        guard let descriptor else {
            throw FrameStreamingError(.closed, "the recording was closed earlier", subject: path)
        }
        let total = first.byteCount + second.byteCount
        var done = 0
        do throws(SystemError) {
            while done < total, let count = try write(first, second, from: done, to: descriptor) { done += count }
        } catch {
            takeBack(done, of: descriptor)
            throw FrameStreamingError(
                error, subject: path,
                remedy:
                    "the recording ends with the last whole picture, at byte \(wholeLength); free space and write on")
        }
        guard done == total else {
            takeBack(done, of: descriptor)
            throw Self.cancelled(path)
        }
        wholeLength += total
    }

    /// One write of what is behind `done`, as soon as there is room; nil = cancelled.
    private func write(
        _ first: RawSpan, _ second: RawSpan, from done: Int, to descriptor: Descriptor
    ) throws(SystemError) -> Int? {
        while true {
            do throws(SystemError) {
                return try descriptor.write(
                    first.extracting(droppingFirst: min(done, first.byteCount)),
                    second.extracting(droppingFirst: max(0, done - first.byteCount)))
            } catch {
                guard error.code == Errno.again else { throw error }
            }
            let readiness = try wait(
                for: PollEvents.output, on: descriptor.raw, until: nil, wakeUp: cancellation?.wakeUp)
            if readiness == .woken { return nil }
        }
    }

    private func takeBack(_ count: Int, of descriptor: Descriptor) {
        do throws(SystemError) {
            try descriptor.truncate(to: wholeLength)
            try descriptor.seek(to: wholeLength)
        } catch {
            // A pipe or device has nothing to take back: no picture may follow half a one.
            if count > 0 { close() }
        }
    }

    private static func cancelled(_ path: String) -> FrameStreamingError {
        FrameStreamingError(.cancelled, "the wait for who reads it was cancelled", subject: path)
    }
}
