internal import FrameStreamingSystem

/// A file with a secret, or with something else that not everybody may change.
package enum PrivateFile {
    /// Which users may do what with a file.
    package enum Audience: Sendable {
        /// It is a secret of its owner.
        case owner
        /// All may read it, and only its owner may change it.
        case readers
        /// It does not matter.
        case anybody
    }

    /// Reads a whole file, once it is certain that its permissions are as narrow as that.
    ///
    /// - Throws: `notFound`; `notPermitted` if others may read or change it; `malformedInput` for
    ///   what is no file or too large.
    package static func read(
        _ path: String, atMost limit: Int, for audience: Audience = .owner
    ) throws(FrameStreamingError) -> [UInt8] {
        let file: Descriptor
        let details: FileDetails
        do throws(SystemError) {
            // A FIFO in its place must not make the program wait.
            file = try Descriptor.openNonBlocking(path)
            details = try file.details()
        } catch {
            throw FrameStreamingError(error, subject: path)
        }
        if let error = objection(details, limit, audience) { throw error.about(path) }
        // One array from the start: what grows leaves copies of the secret behind.
        var bytes = [UInt8](repeating: 0, count: details.size + 1)
        var filled = 0
        do throws(SystemError) {
            while filled < bytes.count {
                var span = bytes.mutableSpan
                var room = unsafe span.mutableBytes
                let count = try file.read(into: &room, at: filled)
                if count == 0 { break }
                filled += count
            }
        } catch {
            cleanse(&bytes)
            throw FrameStreamingError(error, subject: path)
        }
        guard filled <= details.size else {
            cleanse(&bytes)
            throw FrameStreamingError(.malformedInput, "it grew while it was read: try again", subject: path)
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    /// Writes a secret to a new file with the mode 0600.
    ///
    /// - Throws: `alreadyExists`, `notFound` for a missing directory, `notPermitted`, `system`. A
    ///   file that was begun is removed.
    package static func write(_ bytes: [UInt8], new path: String) throws(FrameStreamingError) {
        do throws(SystemError) {
            let file = try Descriptor.createNewPrivate(path)
            do throws(SystemError) {
                // The bytes of UInt8 are initialised.
                try unsafe file.writeAll(bytes.span.bytes)
                try file.sync()
            } catch {
                try? removeFile(path)
                throw error
            }
        } catch {
            if error.code == Errno.exists {
                throw FrameStreamingError(
                    .alreadyExists,
                    "the file exists, and a secret is never overwritten: remove it first, or name another",
                    subject: path, errno: error.code)
            }
            throw FrameStreamingError(error, subject: path)
        }
    }

    private static func objection(
        _ details: FileDetails, _ limit: Int, _ audience: Audience
    ) -> FrameStreamingError? {
        guard details.kind == .regular else { return FrameStreamingError(.malformedInput, "it is no regular file") }
        guard details.size <= limit else {
            return FrameStreamingError(.malformedInput, "it is too large: \(details.size) bytes")
        }
        if audience == .anybody { return nil }
        let user = currentUser()
        guard details.owner == user || details.owner == 0 else {
            return FrameStreamingError(
                .notPermitted, "it belongs to another user, who could change it: make it this user's own")
        }
        let mode = "mode 0\(String(details.permissions, radix: 8))"
        if audience == .readers {
            guard details.permissions & 0o022 != 0 else { return nil }
            return FrameStreamingError(
                .notPermitted,
                "others may change this file (\(mode)), and with it who is trusted: take that right away by chmod go-w")
        }
        guard details.permissions & 0o077 == 0 else {
            return FrameStreamingError(
                .notPermitted,
                "others may use this secret (\(mode)): take their rights away by chmod 600, and make a new one if they may have read it"
            )
        }
        return nil
    }
}
