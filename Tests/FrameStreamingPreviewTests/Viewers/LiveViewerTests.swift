import FrameStreamingCore
import FrameStreamingJPEG
import FrameStreamingSystem
import Glibc
import Testing

@testable import FrameStreamingPreview

/// A page's connection without the viewers' thread, whose other end does nothing.
@Suite struct LiveViewerTests {
    private let ends: (server: Descriptor, page: Descriptor)
    private let registry = StreamRegistry(
        remembersEnded: .seconds(60), maximumStreams: 1, maximumPictureByteCount: 1, onPicture: {}, onChange: {})

    init() throws {
        var pair: (CInt, CInt) = (0, 0)
        // Two adjacent integers, as socketpair needs them.
        let code = unsafe withUnsafeMutableBytes(of: &pair) {
            unsafe socketpair(
                AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0,
                $0.baseAddress?.assumingMemoryBound(to: CInt.self))
        }
        try #require(code == 0)
        ends = (Descriptor(pair.0), Descriptor(pair.1))
    }

    /// A viewer that is told that there is no place for it.
    private func turnedAway(greeting: [UInt8] = []) -> LiveViewer {
        LiveViewer(
            ClientStream(ends.server), registry, nil, PreviewEncoder(codec: JPEGCodec(), quality: 75),
            greeting: greeting)
    }

    /// Its goodbye waits until the bytes before it have left, however long that takes.
    @Test func inputBehindTheEndIsNotKept() {
        let viewer = turnedAway()
        for _ in 0..<100 { viewer.receive([UInt8](repeating: 0x8A, count: 16 << 10)[...]) }
        #expect(viewer.inputBytes == 0)
    }
}
