import FrameStreamingCore
import Foundation
import Glibc
import Testing

@testable import FrameStreamingTLS

/// What key files have, and who may read them.
@Suite struct KeyFileTests {
    private static let hexadecimal = String(repeating: "0123456789abcdef", count: 4)
    private static let base64 = "ASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8="

    private func parse(_ text: String) throws -> PreSharedKey { try KeyFile.parse(Array(text.utf8)) }

    private func bytes(_ key: PreSharedKey) -> [UInt8] { unsafe key.secret.withBytes { unsafe Array($0) } }

    @Test(arguments: [hexadecimal, hexadecimal.uppercased(), base64]) func theFieldsOfAFile(_ key: String) throws {
        let read = try parse(
            "# for the door\r\n\n frame-streaming-key 1 \nidentity = front door\nstreams=door, gate\nrole=sender\nkey=\(key)\n"
        )
        #expect(read.identity == "front door" && read.streams == ["door", "gate"] && read.role == .sender)
        #expect(bytes(read) == (0..<4).flatMap { _ in [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF] })
    }

    @Test(arguments: [
        ("", "first line"),
        ("frame-streaming-key 2\nidentity=a\nkey=\(hexadecimal)", "first line"),
        ("identity=a\nkey=\(hexadecimal)", "first line"),
        ("frame-streaming-key 1\nkey=\(hexadecimal)", "identity= is missing"),
        ("frame-streaming-key 1\nidentity=a", "key= is missing"),
        ("frame-streaming-key 1\nidentity=a\nkey=\(hexadecimal)0", "line 3"),
        ("frame-streaming-key 1\nidentity=a\nkey=\(hexadecimal.dropLast())", "line 3"),
        ("frame-streaming-key 1\nidentity=a\nkey=\(hexadecimal.dropLast())g", "line 3"),
        ("frame-streaming-key 1\nidentity=a\nkey=\(base64.dropLast(2))9=", "line 3"),
        ("frame-streaming-key 1\nidentity=a\nkey=\(base64.dropLast())A", "line 3"),
        ("frame-streaming-key 1\nidentity=a\nkey=\(base64.dropLast(3))==A", "line 3"),
        ("frame-streaming-key 1\nidentity=a\nkey=", "line 3"),
        ("frame-streaming-key 1\nidentity=a\nidentity=b\nkey=\(hexadecimal)", "second time"),
        ("frame-streaming-key 1\nidentity=a\nkey=\(hexadecimal)\nkey=\(hexadecimal)", "second time"),
        ("frame-streaming-key 1\nidentity=\nkey=\(hexadecimal)", "identity"),
        ("frame-streaming-key 1\nidentity=a\u{1B}\nkey=\(hexadecimal)", "identity"),
        ("frame-streaming-key 1\nidentity=\(String(repeating: "a", count: 129))\nkey=\(hexadecimal)", "identity"),
        ("frame-streaming-key 1\nidentity=a\nkey=\(hexadecimal)\nrole=both", "role"),
        ("frame-streaming-key 1\nidentity=a\nkey=\(hexadecimal)\nstreams=", "stream"),
        ("frame-streaming-key 1\nidentity=a\nkey=\(hexadecimal)\nstreams=a,,b", "stream"),
        // A limit with a typing error must not be passed over.
        ("frame-streaming-key 1\nidentity=a\nkey=\(hexadecimal)\nstream=a", "unknown name"),
        ("frame-streaming-key 1\nidentity=a\n\(hexadecimal)", "name=value"),
    ]) func aWrongFileIsATypedErrorWithoutItsText(_ text: String, _ words: String) throws {
        let error = try #require(failure { _ = try parse(text) })
        #expect(error.code == .malformedInput && error.message.contains(words))
        // No part of the key, whatever line it came to stand in.
        #expect(!error.message.contains("0123") && !error.message.contains("ASNF"))
    }

    @Test func everyCutOfAFileIsATypedErrorOrTheSameKey() throws {
        let text = Array("frame-streaming-key 1\nidentity=a\nkey=\(Self.hexadecimal)\n".utf8)
        for length in 0..<text.count - 1 {
            #expect(failure { _ = try KeyFile.parse(Array(text.prefix(length))) }?.code == .malformedInput)
        }
        for index in text.indices {
            var changed = text
            changed[index] ^= 0x80
            #expect(failure { _ = try KeyFile.parse(changed) }?.code == .malformedInput)
        }
    }

    @Test func aWrittenKeyIsReadAgainAndItsFileIsPrivate() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("camera.key")
        let key = try PreSharedKey.generate(identity: "camera", role: .receiver, streams: ["a b", "c"])
        try key.write(newFile: path)
        var status = stat()
        try #require(unsafe stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        let read = try PreSharedKey(file: path)
        #expect(bytes(read) == bytes(key))
        #expect(read.identity == "camera" && read.role == .receiver && read.streams == ["a b", "c"])
        let other = try PreSharedKey.generate(identity: "camera")
        #expect(bytes(other) != bytes(key))
        // A key is never overwritten.
        #expect(failure { try other.write(newFile: path) }?.code == .alreadyExists)
        #expect(bytes(try PreSharedKey(file: path)) == bytes(key))
        #expect(failure { try other.write(newFile: directory.path("none/camera.key")) }?.code == .notFound)
    }

    @Test(arguments: [0o640, 0o604, 0o620, 0o602, 0o610, 0o777]) func aFileThatOthersMayUseIsRefused(_ mode: Int) throws
    {
        let directory = try TemporaryDirectory()
        let path = directory.path("camera.key")
        try PreSharedKey.generate(identity: "camera").write(newFile: path)
        try #require(unsafe chmod(path, mode_t(mode)) == 0)
        let error = try #require(failure { _ = try PreSharedKey(file: path) })
        #expect(error.code == .notPermitted && error.message.contains("chmod 600") && error.subject == path)
        try #require(unsafe chmod(path, 0o400) == 0)
        #expect(failure { _ = try PreSharedKey(file: path) } == nil)
    }

    @Test func whatIsNoFileIsATypedErrorAndDelaysNobody() throws {
        let directory = try TemporaryDirectory()
        #expect(failure { _ = try PreSharedKey(file: directory.path("none")) }?.code == .notFound)
        #expect(failure { _ = try PreSharedKey(file: directory.path) }?.code == .malformedInput)
        let fifo = directory.path("fifo")
        try #require(unsafe mkfifo(fifo, 0o600) == 0)
        #expect(failure { _ = try PreSharedKey(file: fifo) }?.code == .malformedInput)
        let large = directory.path("large")
        try Data(count: 65_537).write(to: URL(filePath: large))
        #expect(failure { _ = try PreSharedKey(file: large) }?.code == .malformedInput)
    }

    /// The key as text, in no description, dump or reflection.
    @Test func aKeyIsInNoDescription() throws {
        let key = try testKey("camera", byte: 0xAB, role: .sender, streams: ["door"])
        var dumped = ""
        dump(key, to: &dumped)
        let security = try TLSSecurity(keys: [key])
        let texts = [
            "\(key)", String(reflecting: key), dumped, "\(security)", String(reflecting: security),
            "\(security.security)",
        ]
        for text in texts {
            for secret in ["abab", "ABAB", "171", "q6ur"] { #expect(!text.contains(secret)) }
        }
        #expect("\(key)" == "key of camera, for a sender, for the streams door")
    }
}
