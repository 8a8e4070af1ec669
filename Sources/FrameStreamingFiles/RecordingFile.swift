import FrameStreamingCore
import FrameStreamingSystem

/// A file that grows by whole pictures: each goes out in one call where the kernel takes it, and what of one was written
/// before an error is cut off again.
final class RecordingFile {
    let path: String
    private var descriptor: Descriptor?
    /// Bytes up to the end of the last whole picture.
    private var wholeLength = 0

    /// Makes the file, or empties the one that is there.
    convenience init(path: String) throws(FrameStreamingError) {
        let descriptor: Descriptor
        do throws(SystemError) {
            descriptor = try Descriptor.create(path)
        } catch {
            throw FrameStreamingError(error, subject: path, remedy: "the recording cannot be made there")
        }
        self.init(descriptor, path: path)
    }

    /// Writes to a descriptor that is open and empty already.
    init(_ descriptor: Descriptor, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    func close() { descriptor = nil }

    /// Writes both runs of bytes, one behind the other, or neither.
    func append(_ first: RawSpan, _ second: RawSpan) throws(FrameStreamingError) {
        guard let descriptor else {
            throw FrameStreamingError(.closed, "the recording was closed earlier", subject: path)
        }
        do throws(SystemError) {
            let total = first.byteCount + second.byteCount
            var done = 0
            while done < total {
                let rest = max(0, done - first.byteCount)
                done += try descriptor.write(
                    first.extracting(droppingFirst: min(done, first.byteCount)),
                    second.extracting(droppingFirst: rest))
            }
            wholeLength += total
        } catch {
            // A pipe or device has nothing to take back, and the first error is the one that counts.
            try? descriptor.truncate(to: wholeLength)
            try? descriptor.seek(to: wholeLength)
            throw FrameStreamingError(
                error, subject: path,
                remedy:
                    "the recording ends with the last whole picture, at byte \(wholeLength); free space and write on")
        }
    }
}
