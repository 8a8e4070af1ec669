import FrameStreamingCore
import FrameStreamingJPEG
import FrameStreamingSystem
import Glibc
import RawSockets
import Testing

@testable import FrameStreamingPreview

/// A page's connection without the viewers' thread, whose other end does nothing.
@Suite struct LiveViewerTests {
    private let begin = MonotonicTime(nanoseconds: 1_000_000_000_000)
    private let ends: (server: Descriptor, page: Descriptor)
    private let registry = StreamRegistry(
        remembersEnded: .seconds(60), maximumStreams: 1, maximumPictureByteCount: 1, onPicture: {}, onChange: {})

    init() throws {
        let pair = try socketPair()
        ends = (Descriptor(pair.0), Descriptor(pair.1))
        for end in [ends.server, ends.page] { try end.setNonBlocking() }
    }

    /// A viewer whose answer is that there is no place for it.
    private func turnedAway(greeting: [UInt8] = []) -> LiveViewer {
        LiveViewer(
            ClientStream(ends.server), registry, ViewerPermit {}, PreviewEncoder(codec: JPEGCodec(), quality: 75),
            turnedAwayUntil: begin.advanced(by: .seconds(5)), greeting: greeting)
    }

    /// Its goodbye waits until the bytes before it have left, however long that takes.
    @Test func inputBehindTheEndIsNotKept() {
        let viewer = turnedAway()
        for _ in 0..<100 { viewer.receive([UInt8](repeating: 0x8A, count: 16 << 10)[...]) }
        #expect(viewer.inputBytes == 0)
    }

    /// A client that reads nothing keeps its connection no longer than one that does.
    @Test func whoIsTurnedAwayHasALimit() {
        let viewer = turnedAway(greeting: [UInt8](repeating: 0, count: 10_000_000))
        viewer.write(at: begin)
        #expect(viewer.socket.isBusy && !viewer.isOver && viewer.deadline == begin.advanced(by: .seconds(5)))
        viewer.endIfDone(at: begin.advanced(by: .milliseconds(4999)))
        #expect(!viewer.isOver)
        viewer.endIfDone(at: begin.advanced(by: .seconds(5)))
        #expect(viewer.isOver)
    }

    /// No more get the answer that there is no place by a WebSocket than there are places.
    @Test func asManyAreTurnedAwayAsThereArePlaces() throws {
        let encoder = PreviewEncoder(codec: JPEGCodec(), quality: 75)
        let viewers = try ViewerLoop(encoder, maximumViewers: 2, maximumKeptBytes: 1)
        let routes = Routes(
            registry: registry, viewers: viewers, stills: Stills(encoder), origins: SameOriginCheck(isLoopback: true),
            access: AccessCheck(nil, isSecure: false, port: 1))
        defer { routes.stills.close() }
        var reader = RequestReader()
        let fields = ["GET /api/live HTTP/1.1", "Host: localhost"] + Client.upgrade + ["", ""]
        reader.append(fields.joined(separator: "\r\n").utf8)
        let request = try #require(try reader.next())
        var held: [Routes.Outcome] = []
        for _ in 0..<4 {
            let outcome = routes.outcome(request, from: PeerHost(four: 1), at: begin)
            guard case .viewer(let response, _) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(response.status == .switchingProtocols)
            held.append(outcome)
        }
        guard case .response(let refused) = routes.outcome(request, from: PeerHost(four: 1), at: begin) else {
            Issue.record("a fifth is let in")
            return
        }
        #expect(refused.status == .serviceUnavailable && refused.closes)
        #expect(viewers.counts.viewers == 2 && viewers.counts.turnedAway == 3)
        // The places are given back.
        held = []
        #expect(viewers.counts.viewers == 0)
        guard case .viewer = routes.outcome(request, from: PeerHost(four: 1), at: begin) else {
            Issue.record("no place is free again")
            return
        }
    }
}
