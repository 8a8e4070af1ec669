import Foundation
import Glibc
import RawSockets
import Testing

extension ExampleTests {
    /// A preview with a token: what is printed of it, and which requests are answered.
    @Suite struct PreviewAccess {
        /// The status of an answer of the preview.
        private func status(_ target: String, _ port: Int, _ field: String? = nil) throws -> String {
            let client = try RawPeer(port: port, patience: 60)
            let fields = ["Host: localhost", "Connection: close", field].compactMap { $0 }
            client.send("GET \(target) HTTP/1.1\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n")
            let answer = String(decoding: client.receiveToEnd(), as: UTF8.self)
            return String(answer.dropFirst("HTTP/1.1 ".count).prefix(3))
        }

        private func page(of receiver: Program) throws -> Int {
            let line = try receiver.line("the preview's address") { $0.event == "preview" }
            let url = try #require(line.string("url"))
            return try #require(url.dropLast().split(separator: ":").last.flatMap { Int($0) })
        }

        /// The codes of the links that were printed so far.
        private func codes(_ text: String) -> [String] {
            text.matches(of: /sign in, once and within an hour, by http\S+\/\?code=(\S+)\n/).map { String($0.1) }
        }

        @Test func theTokenIsInItsFileAndNowhereElse() throws {
            let workspace = try Workspace()
            let file = workspace.file("preview.token")
            let (receiver, _) = try receiver(["--preview", "0", "--preview-token-file", file])
            let page = try page(of: receiver)
            var details = stat()
            try #require(unsafe stat(file, &details) == 0)
            #expect(details.st_mode & 0o777 == 0o600)
            let token = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .newlines)
            #expect(try status("/", page) == "401")
            #expect(try status("/metrics", page, "Authorization: Bearer \(token)") == "200")
            let code = try receiver.findComplaint("the link") { codes($0).first }
            #expect(try status("/?code=\(code)", page) == "200")
            #expect(try status("/?code=\(code)", page) == "401")
            // Another link for another browser.
            receiver.signal(SIGHUP)
            let second = try receiver.findComplaint("another link") { text in
                codes(text).count == 2 ? codes(text)[1] : nil
            }
            #expect(try status("/?code=\(second)", page) == "200")
            let arguments = try String(contentsOfFile: "/proc/\(receiver.id)/cmdline", encoding: .utf8)
            let limits = try String(contentsOfFile: "/proc/\(receiver.id)/limits", encoding: .utf8)
            #expect(limits.contains(/Max core file size\s+0\s+0\s/))
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0))
            for text in [receiver.output, receiver.complaints, arguments] { #expect(!text.contains(token)) }
            #expect(!receiver.output.contains(code) && !receiver.output.contains("code="))
        }

        @Test func aTokenFileOfOthersIsAnErrorBeforeAnythingIsDone() throws {
            let workspace = try Workspace()
            let file = workspace.file("preview.token")
            try "correct-horse-battery".write(toFile: file, atomically: false, encoding: .utf8)
            try #require(unsafe chmod(file, 0o644) == 0)
            let outcome = try run("frame-receive", ["--listen", "0", "--preview", "0", "--preview-token-file", file])
            #expect(outcome.end == .exit(1) && outcome.complaints.contains("chmod 600"), "\(outcome)")
            #expect(!outcome.output.contains("listening") && !outcome.complaints.contains("horse"))
        }

        /// Beyond this machine with both, and without --insecure. The certificate stays the same.
        @Test func aCertificateOfItsOwnIsKeptAndItsFingerprintPrinted() throws {
            let workspace = try Workspace()
            let file = workspace.file("preview.pem")
            var prints: Set<String> = []
            for options in [["--preview-tls-file", file], ["--preview-tls-file", file], ["--preview-tls"]] {
                let (receiver, _) = try receiver(["--preview", "0.0.0.0:0", "--preview-link"] + options)
                let page = try page(of: receiver)
                let print = try receiver.findComplaint("the fingerprint") { text in
                    text.firstMatch(of: /SHA-256 is ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})\n/).map { String($0.1) }
                }
                prints.insert(print)
                // Whoever does not encrypt sees nothing but where to go.
                #expect(try status("/", page) == "400")
                receiver.signal(SIGINT)
                #expect(try receiver.finish() == .exit(0))
                #expect(receiver.output.contains("\"url\":\"https:"))
            }
            #expect(prints.count == 2)
            var details = stat()
            try #require(unsafe stat(file, &details) == 0)
            #expect(details.st_mode & 0o777 == 0o600)
        }

        /// Whoever compares it has to have the new one.
        @Test func anotherCertificateIsSaidWithItsFingerprint() throws {
            let workspace = try Workspace()
            let file = workspace.file("preview.pem")
            let (receiver, _) = try receiver(["--preview", "0", "--preview-tls-file", file])
            func prints(_ text: String) -> [String] {
                text.matches(of: /SHA-256 is ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})\n/).map { String($0.1) }
            }
            let first = try receiver.findComplaint("the fingerprint") { prints($0).first }
            _ = try page(of: receiver)
            try FileManager.default.removeItem(atPath: file)
            receiver.signal(SIGHUP)
            let second = try receiver.findComplaint("another fingerprint") { prints($0).dropFirst().first }
            #expect(first != second && receiver.complaints.contains("another certificate now"))
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == .exit(0))
        }

        @Test func theDemonstrationHasTheSame() throws {
            let demo = try Program("frame-demo", ["--preview-link"])
            let port = try demo.find("the page's address") { text in
                text.firstMatch(of: /pictures at http:\/\/127\.0\.0\.1:(\d+)\//).flatMap { Int($0.1) }
            }
            #expect(try status("/", port) == "401")
            let code = try demo.findComplaint("the link") { codes($0).first }
            #expect(try status("/?code=\(code)", port) == "200")
            demo.signal(SIGINT)
            #expect(try demo.finish() == .exit(0))
        }
    }
}
