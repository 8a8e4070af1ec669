import FrameStreamingCore
import FrameStreamingJPEG
import FrameStreamingTCP
import Foundation
import Testing

extension ExampleTests {
    /// Docs/Limits.md has a row for each limit, and each row is true.
    @Suite struct LimitTable {
        private struct Row {
            let limit: PeerLimit
            let standard: String
            let symbols: [String]
            let options: [String]
            /// The names behind `--limit`.
            let names: [String]
            let codes: [String]
        }

        private static let package = JSONSchema.folder.deletingLastPathComponent()

        private func rows() throws -> [Row] {
            let text = try String(contentsOf: JSONSchema.folder.appendingPathComponent("Limits.md"), encoding: .utf8)
            return try text.split(separator: "\n").compactMap { line in
                guard let match = line.firstMatch(of: /^\| `([a-z_]+)` \|/) else { return nil }
                let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                try #require(cells.count == 8, "\(line)")
                func quoted(_ cell: Substring) -> [String] { cell.matches(of: /`([^`]+)`/).map { String($0.1) } }
                let options = quoted(cells[5]).filter { $0.hasPrefix("--") }
                return Row(
                    limit: try #require(PeerLimit(rawValue: String(match.1)), "\(line)"),
                    standard: cells[3].trimmingCharacters(in: .whitespaces), symbols: quoted(cells[4]),
                    options: options.map { String($0.prefix { $0 != " " }) },
                    names: options.compactMap { $0.wholeMatch(of: /--limit ([a-z-]+)/).map { String($0.1) } },
                    codes: quoted(cells[6]))
            }
        }

        @Test func everyLimitHasOneRow() throws {
            #expect(try rows().map(\.limit) == PeerLimit.allCases)
        }

        @Test func everyOptionIsInTheHelp() throws {
            let helps = try ["frame-receive", "frame-send"].map { try run($0, ["--help"]).output }
            for row in try rows() {
                #expect(row.limit == .lengths || !row.options.isEmpty, "\(row.limit)")
                for option in row.options {
                    #expect(helps.contains { $0.contains("\(option) <") }, "\(option) of \(row.limit)")
                }
            }
        }

        /// What a default is in the sources, as the table has it; nil = it depends on the program or on
        /// the machine.
        private func standard(of limit: PeerLimit) -> String? {
            let (transport, receiving) = (TCPOptions(), TCPReceiverOptions())
            func rate(_ bytes: Int) -> String {
                bytes == 0 ? "none" : "\(bytes.formatted(.number.locale(Self.english))) bytes/s"
            }
            func time(_ duration: Duration?) -> String { duration.map { "\($0.components.seconds) s" } ?? "none" }
            return switch limit {
            case .frameBytes: "\(receiving.maximumFrameByteCount >> 20) MiB"
            case .pixels: JPEGCodec().maximumPixels.formatted(.number.locale(Self.english))
            case .scans: "\(JPEGCodec().maximumScans)"
            case .connectionsPerAddress: transport.maximumConnectionsPerAddress.map { "\($0)" } ?? "as many as all"
            case .handshakes: "\(transport.maximumHandshakes)"
            case .handshakeTime: time(transport.handshakeTimeout)
            case .idleTime: time(ReceiverLimits().idleTimeout)
            case .messageTime: time(transport.standstillTimeout)
            case .minimumRate: rate(transport.minimumRate)
            case .byteRate: rate(receiving.maximumByteRate)
            case .decodeFailures: "\(ReceiverLimits().maximumDecodeFailures)"
            default: nil
            }
        }

        private static let english = Locale(identifier: "en_US")

        @Test func everyDefaultIsThatOfTheSources() throws {
            for row in try rows() {
                guard let standard = standard(of: row.limit) else { continue }
                #expect(row.standard == standard, "\(row.limit)")
            }
        }

        @Test func everyErrorHasItsCode() throws {
            let known: Set = [
                FrameStreamingError.Code.limitExceeded, .protocolViolation, .busy, .timedOut, .connectionLost,
            ]
            for row in try rows() {
                #expect(Set(row.codes).isSubset(of: Set(known.map { "\($0)" })), "\(row.limit): \(row.codes)")
                // What only holds the sender back is no error.
                #expect(row.codes.isEmpty == [.byteRate, .memory].contains(row.limit), "\(row.limit)")
            }
        }

        /// `--limit` takes the name: it complains of the value only.
        @Test func everyNameIsTaken() throws {
            for row in try rows() {
                for name in row.names {
                    #expect(name == row.limit.rawValue.replacing("_", with: "-"))
                    let outcome = try run("frame-receive", ["--listen", "0", "--limit", "\(name)=-1"])
                    #expect(outcome.end == .exit(64), "\(outcome)")
                    // Those that only frame-view has here have an option of their own.
                    let expected = row.options.count > 1 ? "an option of its own" : "--limit \(name) is "
                    #expect(outcome.complaints.contains(expected), "\(outcome)")
                }
            }
        }

        @Test func everySymbolIsInTheSources() throws {
            let sources = Self.package.appendingPathComponent("Sources")
            let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
            var text = ""
            for case let file as URL in files where file.pathExtension == "swift" {
                text += try String(contentsOf: file, encoding: .utf8)
            }
            for row in try rows() {
                #expect(!row.symbols.isEmpty, "\(row.limit)")
                for symbol in row.symbols {
                    let name = try #require(symbol.firstMatch(of: /\.(?:serve\()?([A-Za-z]+)/)).1
                    let declaration = try Regex("\\b(let|var) \(name)\\b|\\b\(name): Int\\b")
                    #expect(text.firstMatch(of: declaration) != nil, "\(symbol)")
                }
            }
        }

        @Test func everyMetricIsInTheSchema() throws {
            let schema = try JSONSchema()
            let limits = try #require(schema.definitions["limits"])
            let properties = try #require(limits["properties"] as? [String: Any])
            #expect(Set(properties.keys) == Set(PeerLimit.allCases.map(\.rawValue)))
            #expect(Set(try #require(limits["required"] as? [String])) == Set(properties.keys))
        }
    }
}
