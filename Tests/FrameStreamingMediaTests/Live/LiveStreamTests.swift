import Foundation
import FrameStreamingCore
import FrameStreamingJPEG
import FrameStreamingSystem
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingMedia

/// Streams of the network, from cameras that the tests play.
@Suite(.ownThread(atOnce: 4)) struct LiveStreamTests {
    private static func jpegs(_ count: Int = 4) throws -> [[UInt8]] {
        let clip = try Clip(48, 32, .i420, "yuv420p", frames: count)
        return try clip.frames.map {
            try JPEGCodec().encode(makeFrame($0, clip.format), EncodeSettings(quality: 80)).packed
        }
    }

    /// The next event, for which a test waits.
    private func next(_ source: MediaSource) throws -> SourceEvent? {
        let limit = waitLimit()
        while true {
            do throws(FrameStreamingError) {
                return try source.next(until: .after(.seconds(1)))
            } catch {
                guard error.code == .timedOut, monotonicNow() < limit else { throw error }
            }
        }
    }

    /// The frames until another event, or as many as are wanted.
    private func frames(_ source: MediaSource, until isEnough: ([Frame]) -> Bool) throws -> [Frame] {
        var frames: [Frame] = []
        while !isEnough(frames), case .frame(let frame)? = try next(source) { frames.append(frame) }
        return frames
    }

    @Test func `JPEGs of a camera pass untouched, the newest first`() throws {
        let jpegs = try Self.jpegs()
        let (isAsked, isTaken) = (Monitor(false), Monitor(false))
        let camera = try CameraServer { peer, _ in
            // Not before the source was asked: its thread reads at once.
            _ = isAsked.wait(until: waitLimit()) { $0 ? true : nil }
            peer.beginMultipart()
            // The end of a part shows with the start of the next.
            for index in 0..<40 { peer.sendPart(jpegs[index % 3]) }
            peer.sendPart(jpegs[3])
            peer.sendPart(jpegs[3])
            _ = isTaken.wait(until: waitLimit()) { $0 ? true : nil }
        }
        let before = MonotonicTime.now
        let source = try MediaSource(path: "http://127.0.0.1:\(camera.port)/video")
        #expect(!source.isLive)
        isAsked.update { $0 = true }
        let taken = try frames(source) { $0.last?.packed == jpegs[3] }
        isTaken.update { $0 = true }
        #expect(source.isLive && taken.allSatisfy { jpegs.contains($0.packed) })
        let stamps = taken.compactMap { $0.captureTime?.nanoseconds }
        #expect(stamps.count == taken.count && stamps == stamps.sorted())
        #expect(stamps.allSatisfy { $0 >= before.nanoseconds && $0 <= monotonicNow() })
        let statistics = source.meter.statistics
        #expect(taken.count + statistics.dropped + statistics.unwanted <= statistics.frames)
    }

    @Test func `a camera that breaks off comes back`() throws {
        let jpegs = try Self.jpegs()
        let isTaken = Monitor(false)
        let camera = try CameraServer { peer, number in
            switch number {
            case 0:
                peer.beginMultipart()
                let limit = waitLimit()
                while isTaken.wait(until: monotonicNow() + 5_000_000, { $0 ? true : nil }) == nil,
                    monotonicNow() < limit
                { peer.sendPart(jpegs[0]) }
            case 1:
                _ = peer.request()
                peer.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
            default:
                peer.beginMultipart()
                for _ in 0..<30 { peer.sendPart(jpegs[1]) }
                _ = peer.waitForEnd()
            }
        }
        let seen = Monitor<[MediaEvent]>([])
        var options = MediaOptions()
        options.onEvent = { event in seen.update { $0.append(event) } }
        var source: MediaSource? = try MediaSource(path: "http://me:secret@127.0.0.1:\(camera.port)/", options: options)
        let stream = try #require(source)
        var first = try frames(stream) { !$0.isEmpty }
        isTaken.update { $0 = true }
        first += try frames(stream) { _ in false }
        #expect(!first.isEmpty && first.allSatisfy { $0.packed == jpegs[0] })
        // What ended the loop was the loss. Its return follows, and then frames.
        guard case .restored? = try next(stream) else {
            Issue.record("the stream was not restored: \(seen.withLock { $0 })")
            return
        }
        let second = try frames(stream) { !$0.isEmpty }
        #expect(second.map(\.packed) == [jpegs[1]])
        let events = seen.withLock { $0 }
        #expect(events.map(\.kind) == [.lost, .stillLost, .restored])
        #expect(events.map(\.error?.code) == [.connectionLost, .connectionFailed, nil])
        #expect(events.map(\.retryAfter) == [.milliseconds(250), .milliseconds(500), nil])
        #expect(events.allSatisfy { !$0.message.contains("secret") && $0.message.contains("127.0.0.1") })
        source = nil
    }

    @Test(arguments: [
        (401, FrameStreamingError.Code.notAuthenticated), (404, .notFound), (500, .connectionFailed),
    ])
    func `a server that refuses at first is an error`(status: Int, code: FrameStreamingError.Code) throws {
        let camera = try CameraServer { peer, _ in
            _ = peer.request()
            peer.send("HTTP/1.1 \(status) No\u{1B}[31m\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        let source = try MediaSource(path: "http://127.0.0.1:\(camera.port)/video")
        for _ in 0..<2 {
            let error = try failure { _ = try next(source) }
            #expect(error.code == code && !error.description.contains("\u{1B}"), "\(error)")
        }
    }

    @Test func `nobody there is an error`() throws {
        let port = try RawListener().port
        for scheme in ["http", "rtsp", "tcp"] {
            let source = try MediaSource(path: "\(scheme)://127.0.0.1:\(port)/")
            #expect(try failure { _ = try next(source) }.code == .connectionFailed, "\(scheme)")
        }
    }

    @Test func `a server that says nothing is given up in time`() throws {
        let camera = try CameraServer { peer, _ in _ = peer.waitForEnd() }
        var options = MediaOptions()
        options.timeout = .milliseconds(300)
        let source = try MediaSource(path: "http://127.0.0.1:\(camera.port)/video", options: options)
        let error = try failure { _ = try next(source) }
        #expect(error.code == .connectionFailed && error.message.contains("0.3 s"), "\(error)")
    }

    @Test func `a source that is released lets its connection go, whatever the server does`() throws {
        let ended = Monitor(false)
        let camera = try CameraServer { peer, _ in
            _ = peer.request()
            // FFmpeg waits for this answer, and is interrupted.
            let end = peer.waitForEnd()
            ended.update { $0 = end }
        }
        var source: MediaSource? = try MediaSource(path: "http://127.0.0.1:\(camera.port)/video")
        try waitUntil { camera.connections == 1 }
        #expect(try failure { _ = try source?.next(until: .now) }.code == .timedOut)
        source = nil
        #expect(ended.wait(until: waitLimit()) { $0 ? true : nil } == true)
    }

    @Test func `a film on a server is played whole, and in order`() throws {
        let directory = try TemporaryDirectory()
        let clip = try Clip(64, 48, .i420, "yuv420p", frames: 25)
        let path = try clip.film(
            "film.mp4", ["-c:v", "libx264", "-qp", "0", "-movflags", "+faststart"], in: directory)
        let film = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        let camera = try CameraServer { peer, _ in
            let request = peer.request()
            var start = 0
            for line in request.split(separator: "\r\n") where line.lowercased().hasPrefix("range: bytes=") {
                start = Int(line.dropFirst("range: bytes=".count).prefix { $0.isNumber }) ?? 0
            }
            let rest = film[min(start, film.count)...]
            peer.send(
                "HTTP/1.1 206 Part\r\nAccept-Ranges: bytes\r\nContent-Length: \(rest.count)\r\nContent-Range: bytes \(start)-\(film.count - 1)/\(film.count)\r\nConnection: close\r\n\r\n"
            )
            peer.send(rest)
        }
        var options = MediaOptions.fast()
        options.start = .milliseconds(200)
        let source = try MediaSource(path: "http://127.0.0.1:\(camera.port)/film.mp4", options: options)
        let taken = try frames(source) { _ in false }
        #expect(!source.isLive && taken.map(\.packed) == Array(clip.frames[5...]))
        #expect(try next(source) == nil)
    }

    @Test func `a session's description is received from`() throws {
        let directory = try TemporaryDirectory()
        let clip = try Clip(64, 48, .i420, "yuv420p", frames: 20)
        let film = try clip.film(
            "film.mp4", ["-c:v", "libx264", "-qp", "0", "-bf", "0", "-g", "5", "-x264-params", "repeat-headers=1"],
            in: directory)
        // RTP takes this port, and the next one for its reports.
        let port = try RawListener().port & ~1
        let description =
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=t\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video \(port) RTP/AVP 96\r\n"
            + "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n"
        let path = try directory.file("session.sdp", Array(description.utf8))
        let sender = try FFmpeg(
            [
                "-re", "-stream_loop", "-1", "-i", film, "-c", "copy", "-f", "rtp",
                "rtp://127.0.0.1:\(port)",
            ], in: directory)
        var options = MediaOptions()
        options.timeout = .seconds(60)
        let source = try MediaSource(path: path, options: options)
        let taken = try frames(source) { $0.count == 3 }
        #expect(source.isLive && taken.count == 3 && taken.allSatisfy { clip.frames.contains($0.packed) })
        try sender.stop()
    }

    @Test func `a loop needs a file`() throws {
        #expect(
            try failure { _ = try MediaSource(path: "http://127.0.0.1:1/", options: .fast(loop: true)) }.code
                == .unsupported)
    }
}
