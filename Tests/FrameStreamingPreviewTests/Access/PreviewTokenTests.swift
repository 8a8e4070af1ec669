import Foundation
import FrameStreamingCore
@testable import FrameStreamingPreview
import Glibc
import Testing

@Suite struct PreviewTokenTests {
    private let directory: URL
    private var path: String { directory.appending(path: "token").path }

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "preview-token-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    private func code(_ body: () throws -> Void) -> FrameStreamingError.Code? {
        do { try body() } catch { return (error as? FrameStreamingError)?.code }
        return nil
    }

    @Test func whatIsATokenAndWhatIsNot() throws {
        for text in ["", "0123456789abcde", "0123456789 abcdef", "0123456789abcdé", String(repeating: "a", count: 257)]
        {
            #expect(code { _ = try PreviewToken(text) } == .invalidArgument)
        }
        let token = try PreviewToken("correct-horse-battery")
        #expect(token.isToken("correct-horse-battery") && token.isSession(token.session))
        for wrong in ["", "correct-horse-batter", "correct-horse-battery ", "Correct-horse-battery", token.session] {
            #expect(!token.isToken(wrong))
        }
        #expect(!token.isSession("correct-horse-battery") && !token.isSession(""))
        #expect(try PreviewToken("another-horse-battery").session != token.session)
    }

    @Test func aTokenIsInNoDescription() throws {
        let secret = "correct-horse-battery"
        let token = try PreviewToken(secret)
        var dumped = ""
        dump(token, to: &dumped)
        for text in ["\(token)", String(reflecting: token), dumped, "\(PreviewOptions())"] {
            #expect(!text.contains(secret) && !text.contains(token.session))
        }
    }

    @Test func aMissingFileIsMadeForItsOwnerAndThenStays() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        #expect(code { _ = try PreviewToken(file: path) } == .notFound)
        let made = try PreviewToken(file: path, createsMissing: true)
        var details = stat()
        try #require(unsafe stat(path, &details) == 0)
        #expect(details.st_mode & 0o777 == 0o600)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.utf8.count == 33 && text.hasSuffix("\n") && made.isToken(String(text.dropLast())))
        #expect(try PreviewToken(file: path, createsMissing: true).session == made.session)
        #expect(try PreviewToken(file: path).session == made.session)
    }

    @Test func aWrongFileIsATypedErrorWithoutItsText() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        for text in ["", "\n \n", "too-short", "two words of a token"] {
            try text.write(toFile: path, atomically: false, encoding: .utf8)
            try #require(unsafe chmod(path, 0o600) == 0)
            do {
                _ = try PreviewToken(file: path, createsMissing: true)
                Issue.record("\(text) was taken")
            } catch {
                #expect(error.code == .malformedInput && (text.count < 4 || !"\(error)".contains(text)), "\(error)")
            }
        }
        try " \tcorrect-horse-battery \r\n".write(toFile: path, atomically: false, encoding: .utf8)
        #expect(try PreviewToken(file: path).isToken("correct-horse-battery"))
        try #require(unsafe chmod(path, 0o640) == 0)
        #expect(code { _ = try PreviewToken(file: path) } == .notPermitted)
    }

    @Test func tokensThatAreMadeDiffer() {
        let made = Set((0..<100).map { _ in PreviewToken.generate().session })
        #expect(made.count == 100)
        #expect(URLSafeText.of([]) == "" && URLSafeText.of([0xFF]) == "_w" && URLSafeText.of([0xFB, 0xF0]) == "-_A")
        #expect(URLSafeText.of(Array("foobar".utf8)) == "Zm9vYmFy")
    }
}
