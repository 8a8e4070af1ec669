import FrameStreamingCore
import FrameStreamingFiles
import FrameStreamingJPEG
import FrameStreamingPreview
import FrameStreamingTLS
import TestThreads
import Testing

/// What a JPEG says of itself.
func header(of jpeg: [UInt8]) throws -> JPEGHeader { try JPEGHeader(unsafe jpeg.span.bytes) }

/// A server on a port of its own, and frames to show.
final class Rig {
    let server: PreviewServer
    let codec = JPEGCodec()
    var port: Int { server.port }
    /// What clients encrypt by; nil = they do not.
    private let clients: TLSSecurity?

    /// - Parameter clients: What clients encrypt by, where the options have the server do so.
    init(clients: TLSSecurity? = nil, _ change: (inout PreviewOptions) -> Void = { _ in }) throws {
        self.clients = clients
        var options = PreviewOptions()
        change(&options)
        server = try PreviewServer(on: "0", codec: codec, options: options)
    }

    deinit { server.close() }

    /// A connection to the server.
    func connect(receiveBuffer: CInt? = nil) throws -> Client {
        try Client(port: port, receiveBuffer: receiveBuffer, security: clients)
    }

    /// One request on a connection of its own.
    func ask(
        _ target: String, method: String = "GET", host: String = "127.0.0.1", _ headers: [String] = []
    ) throws -> Client.Answer {
        let client = try connect()
        client.request(target, method: method, host: host, headers)
        return try client.answer(hasBody: method != "HEAD")
    }

    /// A frame of the test pattern, with its number in it.
    func picture(_ number: UInt64, width: Int = 64, height: Int = 48) throws -> Frame {
        var source = try TestPatternSource(width: width, height: height, pace: .maximum)
        while true {
            guard case .frame(let frame) = try source.next(until: .never) else { throw Client.Failure("no picture") }
            if frame.sequence >= number { return frame }
        }
    }

    /// A frame that claims to be a JPEG, which the server passes on unchecked. It has any size that
    /// a test needs, and its bytes follow from its number.
    func bulk(_ number: Int, byteCount: Int) throws -> Frame {
        var buffer = FramePool(capacity: 1).buffer(byteCount: byteCount)
        unsafe buffer.withUnsafeMutableBytes { bytes in
            for index in 0..<bytes.count {
                unsafe bytes[index] = UInt8(truncatingIfNeeded: index &* 7 &+ (index >> 10) &+ number &* 31)
            }
        }
        return try buffer.makeFrame(
            format: FrameFormat(width: 64, height: 48, pixelFormat: .jpeg), sequence: UInt64(number))
    }

    func jpeg(_ number: UInt64, width: Int = 64, height: Int = 48) throws -> Frame {
        try codec.encode(picture(number, width: width, height: height), EncodeSettings(quality: 75))
    }

    /// A page that is connected by WebSocket and has received the first list of streams.
    func page(_ headers: [String] = []) throws -> Client {
        let client = try connect()
        client.request("/api/live", Client.upgrade + headers)
        let head = try client.head()
        try #require(head.status == 101)
        #expect(head["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        _ = try client.listing { _ in true }
        return client
    }

    /// A client of a multipart stream, behind the first delimiter, which is sent with the first
    /// frame.
    func reader(_ path: String, receiveBuffer: CInt? = nil) throws -> Client {
        let client = try connect(receiveBuffer: receiveBuffer)
        client.request(path)
        let head = try client.head()
        try #require(head.status == 200)
        #expect(head["content-type"] == "multipart/x-mixed-replace; boundary=\(Self.boundary)")
        return client
    }

    static let boundary = "framestreaming-picture"

    /// Polls until a condition holds, because the server does not report it.
    func wait(for what: String, sourceLocation: SourceLocation = #_sourceLocation, _ isSo: () -> Bool) throws {
        try waitUntil(what, sourceLocation: sourceLocation, isSo)
    }
}

extension Frame {
    /// A copy of the bytes that count.
    var contents: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }
}
