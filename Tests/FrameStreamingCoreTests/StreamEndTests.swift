import FrameStreamingSystem
import Testing

@testable import FrameStreamingCore

@Suite struct StreamEndTests {
    @Test func aResetIsAnEndWithoutAGoodbye() {
        func end(_ code: FrameStreamingError.Code, _ errno: Int32?) -> StreamEnd {
            .of(FrameStreamingError(code, "words", errno: errno))
        }
        #expect(end(.endedWithoutGoodbye, nil) == .eof)
        #expect(end(.connectionLost, Errno.connectionReset) == .eof)
        #expect(end(.connectionLost, Errno.brokenPipe) == .eof)
        // A link that is cut is not a peer that ended.
        #expect(end(.connectionLost, Errno.timedOut) == .error)
        #expect(end(.connectionLost, nil) == .error)
        #expect(end(.protocolViolation, nil) == .error)
        #expect(end(.cancelled, nil) == .cancelled)
    }
}
