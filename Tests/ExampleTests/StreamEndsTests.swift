import ExampleSupport
import FrameStreamingCore
import Testing

@Suite struct StreamEndsTests {
    @Test func theWorstCounts() {
        var ends = StreamEnds()
        #expect(ends.worst == nil)
        ends.note(.bye, session: 0, connection: 1)
        #expect(ends.worst == .bye)
        ends.note(.eof, session: 7, connection: 2)
        #expect(ends.worst == .eof)
        ends.note(.error, session: 0, connection: 3)
        #expect(ends.worst == .error)
    }

    @Test func aStreamThatCameBackEndsAsItsLastConnectionDid() {
        var ends = StreamEnds()
        ends.note(.bye, session: 7, connection: 2)
        // The end of the old connection is noticed after the new one began.
        ends.note(.eof, session: 7, connection: 1)
        #expect(ends.worst == .bye)
    }

    @Test func whatIsForgottenStillCounts() {
        var ends = StreamEnds()
        ends.note(.eof, session: 1, connection: 1)
        for number in 2...3 * StreamEnds.mostSessions { ends.note(.bye, session: UInt64(number), connection: number) }
        #expect(ends.worst == .eof && ends.count <= StreamEnds.mostSessions + 2)
    }
}
