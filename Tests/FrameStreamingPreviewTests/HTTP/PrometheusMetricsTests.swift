import FrameStreamingCore
import FrameStreamingPreview
import Testing

extension PreviewTests {
    @Suite struct PrometheusMetricsTests {
        let rig: Rig

        init() throws { rig = try Rig() }

        private struct Sample {
            let name: String
            let labels: [String: String]
            let value: Double
        }

        /// The format 0.0.4, as strict as its description.
        private func parse(_ text: String) throws -> (types: [String: String], samples: [Sample]) {
            #expect(text.hasSuffix("\n"))
            var types: [String: String] = [:]
            var samples: [Sample] = []
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ", maxSplits: 3)
                if words[0] == "#" {
                    #expect(words.count == 4 && (words[1] == "HELP" || words[1] == "TYPE"), "\(line)")
                    if words[1] == "TYPE" {
                        #expect(types.updateValue(String(words[3]), forKey: String(words[2])) == nil)
                    }
                    continue
                }
                samples.append(try sample(line))
            }
            return (types, samples)
        }

        private func sample(_ line: Substring) throws -> Sample {
            var rest = line
            let name = String(rest.prefix { $0 != "{" && $0 != " " })
            #expect(!name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0 == "_") }, "\(line)")
            rest = rest.dropFirst(name.count)
            var labels: [String: String] = [:]
            if rest.first == "{" {
                repeat {
                    rest = rest.dropFirst()
                    let label = String(rest.prefix { $0 != "=" })
                    rest = rest.dropFirst(label.count)
                    #expect(rest.hasPrefix("=\""))
                    rest = rest.dropFirst(2)
                    var value = ""
                    while let character = rest.popFirst(), character != "\"" {
                        guard character == "\\" else {
                            value.append(character)
                            continue
                        }
                        guard let escaped = rest.popFirst() else { throw Client.Failure("cut: \(line)") }
                        value.append(try #require(["\\": "\\", "\"": "\"", "n": "\n"][escaped]))
                    }
                    labels[label] = value
                } while rest.first == ","
                let end = rest.popFirst()
                #expect(end == "}", "\(line)")
            }
            let blank = rest.popFirst()
            #expect(blank == " ")
            return Sample(name: name, labels: labels, value: try #require(Double(rest), "\(line)"))
        }

        @Test func figuresByPrometheusConventions() throws {
            let name = "a \"b\" \\c"
            let stream = rig.server.stream(named: name)
            let frame = try rig.jpeg(1)
            for _ in 0..<4 {
                stream.show(
                    frame, localCaptureTime: .now.advanced(by: .milliseconds(-250)), skipped: 2,
                    clockError: .milliseconds(1))
            }
            let lost = rig.server.stream(named: "lost")
            lost.lost("gone")
            let answer = try rig.ask("/metrics")
            #expect(answer["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let (types, samples) = try parse(answer.text)
            func value(_ name: String, _ labels: [String: String]) -> Double? {
                samples.first { $0.name == "framestreaming_\(name)" && $0.labels == labels }?.value
            }
            let mine = ["stream": name]
            #expect(value("stream_up", mine) == 1 && value("stream_up", ["stream": "lost"]) == 0)
            #expect(value("stream_frames_total", mine) == 4)
            #expect(value("stream_bytes_total", mine) == Double(4 * frame.byteCount))
            #expect(value("stream_dropped_total", ["stream": name, "reason": "skipped_by_sender"]) == 8)
            #expect(try #require(value("stream_delay_seconds", ["stream": name, "quantile": "0.5"])) >= 0.25)
            #expect(try #require(value("stream_delay_seconds_sum", mine)) >= 1)
            #expect(value("stream_delay_seconds_count", mine) == 4)
            #expect(value("stream_clock_error_seconds", mine) == 0.001)
            #expect(value("stream_width_pixels", mine) == 64 && value("stream_jpeg_quality", mine) == 75)
            // An unknown value is omitted, and not zero.
            #expect(value("stream_width_pixels", ["stream": "lost"]) == nil)
            #expect(value("stream_delay_seconds_count", ["stream": "lost"]) == nil)
            #expect(value("viewers", [:]) == 0 && value("viewers_limit", [:]) == 32)
            // Nothing counts them here.
            #expect(types["framestreaming_limit_reached_total"] == nil)
            for (name, type) in types {
                #expect(["counter", "gauge", "summary"].contains(type))
                #expect(name.hasSuffix("_total") == (type == "counter"), "\(name)")
            }
            // Every sample has a type, under its own name or its summary's.
            for sample in samples {
                let base = ["_sum", "_count"].reduce(sample.name) {
                    $0.hasSuffix($1) ? String($0.dropLast($1.count)) : $0
                }
                #expect(types[base] != nil, "\(sample.name)")
            }
        }

        @Test func theCountOfEachLimit() throws {
            rig.server.limitCounts = {
                var counts = LimitCounts()
                counts.note(.pixels, 7)
                return counts
            }
            let (types, samples) = try parse(rig.ask("/metrics").text)
            #expect(types["framestreaming_limit_reached_total"] == "counter")
            let found = samples.filter { $0.name == "framestreaming_limit_reached_total" }
            #expect(found.compactMap { $0.labels["limit"] } == PeerLimit.allCases.map(\.rawValue))
            #expect(found.map(\.value) == PeerLimit.allCases.map { $0 == .pixels ? 7 : 0 })
        }
    }
}
