import FrameStreaming
import Foundation
import Testing

@testable import frame_view

@Suite struct SnapshotTests {
    private let jpeg: Frame

    init() throws { jpeg = try TestPictures.jpeg(width: 64, height: 48) }

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("frame-view-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path)
    }

    @Test func aSnapshotIsTheJPEGAsItCame() throws {
        try withFolder { folder in
            let path = try SnapshotFolder(path: folder).write(jpeg, at: 1_700_000_000)
            #expect(path.hasPrefix("\(folder)/frame-view-2023111") && path.hasSuffix(".jpg"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(TestPictures.bytes(jpeg)))
        }
    }

    @Test func nothingIsOverwritten() throws {
        try withFolder { folder in
            let name = "\(folder)/\(SnapshotFolder.name(stamp(1_700_000_000), 1))"
            try Data("mine".utf8).write(to: URL(fileURLWithPath: name))
            let paths = try (0..<3).map { _ in try SnapshotFolder(path: folder).write(jpeg, at: 1_700_000_000) }
            #expect(Set(paths).count == 3 && !paths.contains(name))
            #expect(paths.map { $0.hasSuffix("-2.jpg") } == [true, false, false] && paths[2].hasSuffix("-4.jpg"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: name)) == Data("mine".utf8))
        }
    }

    @Test func aDanglingLinkIsNotFollowed() throws {
        try withFolder { folder in
            let name = "\(folder)/\(SnapshotFolder.name(stamp(1_700_000_000), 1))"
            try FileManager.default.createSymbolicLink(atPath: name, withDestinationPath: "\(folder)/elsewhere")
            #expect(try SnapshotFolder(path: folder).write(jpeg, at: 1_700_000_000).hasSuffix("-2.jpg"))
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/elsewhere"))
        }
    }

    @Test func aFolderThatIsNotThere() throws {
        try withFolder { folder in
            let error = #expect(throws: FrameStreamingError.self) {
                try SnapshotFolder(path: "\(folder)/none").write(jpeg, at: 0)
            }
            #expect(error?.code == .notFound && error?.message.contains("--snapshots") == true)
        }
    }

    @Test func aFileInPlaceOfTheFolder() throws {
        let error = #expect(throws: FrameStreamingError.self) {
            try SnapshotFolder(path: "/dev/null").write(jpeg, at: 0)
        }
        #expect(error?.code == .notFound)
    }

    @Test func aStampHasItsPlaces() {
        let text = stamp(1_700_000_000)
        #expect(text.count == 15 && text.dropFirst(8).first == "-")
        #expect(text.filter(\.isNumber).count == 14)
        #expect(text.hasPrefix("202311"))
    }
}
