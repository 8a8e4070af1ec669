import Foundation
import Testing

@testable import FrameStreamingSystem

@Suite struct DescriptorTests {
    @Test func missingFilesAndDirectoriesSayWhatTheyAre() throws {
        #expect(throws: SystemError("open", code: Errno.noEntry)) { try Descriptor.open("/nonexistent/file") }
        #expect(try Descriptor.open("/").details().kind == .directory)
        #expect(try Descriptor.open("/dev/null").details().kind == .character)
    }

    @Test func errorsAreReadable() {
        #expect(SystemError("open", code: Errno.noEntry).description == "open: No such file or directory (errno 2)")
    }

    @Test func writesSeeksTruncatesAndRenames() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try makeDirectory(folder)
        try makeDirectory(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/a"
        let file = try Descriptor.open(path, flags: O_RDWR | O_CREAT)
        let bytes = Array("hello world".utf8)
        try unsafe file.writeAll(bytes.span.bytes)
        try file.truncate(to: 5)
        try file.seek(to: 1)
        #expect(try file.readAll(limit: 100) == Array("ello".utf8))
        #expect(try file.details().size == 5)
        try renameFile(path, to: folder + "/b")
        #expect(FileManager.default.fileExists(atPath: folder + "/b"))
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func theBootHasAnId() {
        #expect(bootID.count == 16)
        #expect(bootID.contains { $0 != 0 })
    }
}
