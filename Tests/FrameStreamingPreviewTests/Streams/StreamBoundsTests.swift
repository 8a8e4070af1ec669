import Foundation
import FrameStreamingCore
import FrameStreamingPreview
import FrameStreamingSystem
import Testing

extension PreviewTests {
    /// What senders of streams may cost, and which names they may have.
    @Suite struct StreamBoundsTests {
        private func listing(_ rig: Rig) throws -> (names: [String], refused: Int) {
            let object = try JSONSerialization.jsonObject(with: Data(rig.ask("/api/streams").body)) as? [String: Any]
            let streams = try #require(object?["streams"] as? [[String: Any]])
            return (streams.compactMap { $0["name"] as? String }, try #require(object?["streams_refused"] as? Int))
        }

        @Test func endedStreamsMakeWayForNewOnesAndLiveOnesDoNot() throws {
            let rig = try Rig { $0.maximumStreams = 3 }
            let live = rig.server.stream(named: "live")
            for number in 0..<20 { rig.server.stream(named: "name \(number)").end("done") }
            #expect(try listing(rig).names == ["live", "name 18", "name 19"])
            let more = (0..<2).map { rig.server.stream(named: "more \($0)") }
            #expect(try listing(rig) == (["live", "more 0", "more 1"], 0))
            let tooMany = rig.server.stream(named: "too many")
            tooMany.show(try rig.jpeg(1))
            #expect(!tooMany.isListed && tooMany.name == "too many" && more.allSatisfy(\.isListed))
            #expect(try listing(rig) == (["live", "more 0", "more 1"], 1))
            #expect(try rig.ask("/streams/too%20many.jpg").status == 404)
            #expect(try rig.ask("/metrics").text.contains("framestreaming_streams_refused_total 1\n"))
            more[0].end("done")
            #expect(rig.server.stream(named: "next").isListed)
            withExtendedLifetime(live) {}
        }

        @Test func picturesOfEndedStreamsGoFirst() throws {
            let rig = try Rig { $0.maximumPictureByteCount = 1_000_000 }
            let ended = (0..<3).map { rig.server.stream(named: "ended \($0)") }
            for stream in ended {
                stream.show(try rig.bulk(1, byteCount: 300_000))
                stream.end("done")
            }
            let live = rig.server.stream(named: "live")
            live.show(try rig.bulk(2, byteCount: 200_000))
            #expect(try rig.ask("/streams/live.jpg").body.count == 200_000)
            // The stream that ended last is still listed: its figures, and its frame if there is
            // room.
            #expect(try rig.ask("/streams/ended%202.jpg").body.count == 300_000)
            #expect(try rig.ask("/streams/ended%200.jpg").status == 503)
            #expect(try listing(rig).names.count == 4)
            #expect(try rig.ask("/metrics").text.contains("framestreaming_picture_bytes 500000\n"))
            withExtendedLifetime((ended, live)) {}
        }

        @Test func theLargestFramesDoNotKeepOutOthers() throws {
            let rig = try Rig { $0.maximumPictureByteCount = 1_000_000 }
            let large = (0..<3).map { rig.server.stream(named: "large \($0)") }
            for stream in large { stream.show(try rig.bulk(1, byteCount: 320_000)) }
            let small = rig.server.stream(named: "small")
            for number in 1...3 { small.show(try rig.bulk(number, byteCount: 100_000)) }
            #expect(try rig.ask("/streams/small.jpg").body == rig.bulk(3, byteCount: 100_000).contents)
            small.show(try rig.bulk(4, byteCount: 2_000_000))
            #expect(try rig.ask("/streams/small.jpg").status == 503)
            #expect(
                try rig.ask("/metrics").text.contains(
                    "framestreaming_stream_dropped_total{stream=\"small\",reason=\"no_memory\"} 1\n"))
            withExtendedLifetime((large, small)) {}
        }

        @Test func allBytesComeBack() throws {
            let rig = try Rig {
                $0.maximumPictureByteCount = 1_000_000
                $0.remembersEnded = .zero
            }
            for number in 0..<10 {
                let stream = rig.server.stream(named: "name \(number)")
                for _ in 0..<3 { stream.show(try rig.bulk(1, byteCount: 400_000)) }
                stream.end("done")
            }
            #expect(try listing(rig).names.isEmpty)
            #expect(try rig.ask("/metrics").text.contains("framestreaming_picture_bytes 0\n"))
        }

        // MARK: Texts of peers

        @Test(arguments: [
            Int64.min, Int64.min + 5, -1, 0, Int64.max - 5, Int64.max,
        ]) func impossibleTimes(nanoseconds: Int64) throws {
            let rig = try Rig()
            let stream = rig.server.stream(named: "cam")
            let now = Double(realtimeOffset() &+ monotonicNow()) / 1e9
            stream.show(
                try rig.jpeg(1), localCaptureTime: MonotonicTime(nanoseconds: nanoseconds), skipped: .max,
                clockError: .seconds(Int64.min))
            stream.show(
                try rig.jpeg(2), localCaptureTime: MonotonicTime(nanoseconds: nanoseconds), skipped: .max,
                clockError: .seconds(Int64.max))
            let stamp = try #require(rig.ask("/streams/cam.jpg")["x-timestamp"])
            let seconds = try #require(Double(stamp))
            #expect(stamp.wholeMatch(of: /\d+\.\d{6}/) != nil && abs(seconds - now) < 90_000)
            let object = try JSONSerialization.jsonObject(with: Data(rig.ask("/api/streams").body)) as? [String: Any]
            let found = try #require((object?["streams"] as? [[String: Any]])?.first)
            #expect(found["skipped_by_sender"] as? Int == .max)
            for line in try rig.ask("/metrics").text.split(separator: "\n") where line.first != "#" {
                let value = try #require(line.split(separator: " ").last.flatMap { Double($0) }, "\(line)")
                #expect(value.isFinite, "\(line)")
            }
        }

        @Test func reasonsAreCutAndOnOneLine() throws {
            let rig = try Rig()
            let stream = rig.server.stream(named: "cam")
            stream.lost("a\u{1B}[31m\r\nb" + String(repeating: "c", count: 10_000))
            let object = try JSONSerialization.jsonObject(with: Data(rig.ask("/api/streams").body)) as? [String: Any]
            let reason = try #require((object?["streams"] as? [[String: Any]])?.first?["reason"] as? String)
            #expect(reason.hasPrefix("a [31m b") && reason.count == 200)
        }
    }
}
