import FrameStreamingCore
import Testing

@testable import FrameStreamingTCP

@Suite struct ServeProgressTests {
    private func wait(
        after error: FrameStreamingError, goesOn: Bool
    ) throws -> ServeProgress.Wait? {
        var progress = ServeProgress(goesOn: goesOn)
        return try progress.wait(after: .failure(error), at: "peer:1", lifetime: .seconds(1), isCancelled: false)
    }

    /// A sender that this side has given up may send something better in its next stream.
    @Test(arguments: [PeerLimit.idleTime, .decodeFailures]) func aSenderThatWasGivenUpMayComeBack(
        limit: PeerLimit
    ) throws {
        let error = FrameStreamingError(.limitExceeded, "for a test", subject: "peer:1", limit: limit)
        #expect(try wait(after: error, goesOn: true)?.reason == error)
        #expect(throws: error) { try wait(after: error, goesOn: false) }
    }

    @Test func anotherLimitEndsIt() throws {
        let error = FrameStreamingError(.limitExceeded, "for a test", subject: "peer:1", limit: .frameBytes)
        #expect(throws: error) { try wait(after: error, goesOn: true) }
    }
}
