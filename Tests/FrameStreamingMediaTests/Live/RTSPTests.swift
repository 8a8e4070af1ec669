import Foundation
import FrameStreamingCore
import FrameStreamingSystem
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingMedia

/// A camera that speaks RTSP (RFC 2326) and sends H.264 (RFC 6184) within the same connection.
@Suite(.ownThread(atOnce: 2)) struct RTSPTests {
    /// The NAL units of an H.264 file, without their start codes.
    private static func units(_ bytes: [UInt8]) -> [[UInt8]] {
        var starts: [(code: Int, unit: Int)] = []
        var index = 0
        while index + 3 <= bytes.count {
            if bytes[index] == 0, bytes[index + 1] == 0, bytes[index + 2] == 1 {
                starts.append((index > 0 && bytes[index - 1] == 0 ? index - 1 : index, index + 3))
                index += 3
            } else {
                index += 1
            }
        }
        return starts.enumerated().map { number, start in
            let end = number + 1 < starts.count ? starts[number + 1].code : bytes.count
            return Array(bytes[start.unit..<end])
        }
    }

    private static func answer(_ peer: RawPeer, sending units: [[UInt8]], port: Int) {
        while true {
            let request = peer.request()
            let lines = request.split(separator: "\r\n")
            guard let method = lines.first?.split(separator: " ").first else { return }
            let number = lines.first { $0.lowercased().hasPrefix("cseq:") }.map(String.init) ?? "CSeq: 0"
            let head = "RTSP/1.0 200 OK\r\n\(number)\r\nSession: 1\r\n"
            switch method {
            case "OPTIONS": peer.send(head + "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n")
            case "DESCRIBE":
                let text =
                    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=t\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
                    + "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"
                peer.send(
                    head + "Content-Base: rtsp://127.0.0.1:\(port)/\r\nContent-Type: application/sdp\r\n"
                        + "Content-Length: \(text.utf8.count)\r\n\r\n" + text)
            case "SETUP": peer.send(head + "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n")
            case "PLAY":
                peer.send(head + "\r\n")
                play(peer, units)
            default: peer.send(head + "\r\n")
            }
        }
    }

    /// Sends each unit in a packet of its own; the last of a picture has the marker.
    private static func play(_ peer: RawPeer, _ units: [[UInt8]]) {
        var picture: UInt32 = 0
        for (index, unit) in units.enumerated() {
            let isPicture = [1, 5].contains(unit[0] & 0x1F)
            let stamp = picture * 3600
            let sequence = UInt16(index)
            var packet: [UInt8] = [0x80, isPicture ? 0xE0 : 0x60, UInt8(sequence >> 8), UInt8(sequence & 0xFF)]
            for shift in [24, 16, 8, 0] as [UInt32] { packet.append(UInt8(truncatingIfNeeded: stamp >> shift)) }
            packet += [1, 2, 3, 4] + unit
            peer.send([0x24, 0, UInt8(packet.count >> 8), UInt8(packet.count & 0xFF)] + packet)
            if isPicture { picture += 1 }
        }
    }

    @Test func `pictures come as they were encoded, in order`() throws {
        let directory = try TemporaryDirectory()
        let clip = try Clip(64, 48, .i420, "yuv420p", frames: 40)
        // One slice a picture, the parameters in front of each key frame.
        let path = try clip.film(
            "film.h264", ["-c:v", "libx264", "-qp", "0", "-bf", "0", "-g", "10", "-x264-params", "slices=1:threads=1"],
            in: directory)
        let once = Self.units(Array(try Data(contentsOf: URL(fileURLWithPath: path))))
        let units = once + once + once
        let ports = Monitor(0)
        let camera = try CameraServer { peer, _ in
            Self.answer(peer, sending: units, port: ports.withLock { $0 })
        }
        ports.update { $0 = camera.port }
        var options = MediaOptions()
        // Every picture is compared.
        options.playback.live = false
        let source = try MediaSource(path: "rtsp://127.0.0.1:\(camera.port)/1", options: options)
        var numbers: [Int?] = []
        while numbers.count < 30 {
            guard case .frame(let frame)? = try source.next(until: .after(.seconds(60))) else { continue }
            numbers.append(clip.frames.firstIndex(of: frame.packed))
        }
        // The first ones may have gone by while the stream's properties were found out.
        let first = try #require(numbers.first ?? nil)
        #expect(numbers == (0..<30).map { (first + $0) % 40 }, "\(numbers)")
    }
}
