public import FrameStreamingCore
internal import FrameStreamingSystem

extension PreSharedKey {
    /// Reads a key from its file.
    ///
    /// - Parameter path: The file. Only its owner, who must be this user or the superuser, may have
    ///   any right to it.
    /// - Throws: `notFound`; `notPermitted` if others may read or change the file; `malformedInput`
    ///   with the line that is wrong. No error has text of the file in it.
    public init(file path: String) throws(FrameStreamingError) {
        var bytes = try PrivateFile.read(path, atMost: KeyFile.mostBytes)
        defer { cleanse(&bytes) }
        do throws(FrameStreamingError) { self = try KeyFile.parse(bytes) } catch { throw error.about(path) }
    }

    /// Writes the key to a new file with the mode 0600.
    ///
    /// - Parameter path: The file, which must not exist.
    /// - Throws: `alreadyExists`, `notFound` for a missing directory, `notPermitted`, `system`. A
    ///   file that was begun is removed.
    public func write(newFile path: String) throws(FrameStreamingError) {
        var bytes = KeyFile.format(self)
        defer { cleanse(&bytes) }
        try PrivateFile.write(bytes, new: path)
    }
}
