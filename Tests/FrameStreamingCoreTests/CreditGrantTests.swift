import Testing

@testable import FrameStreamingCore

@Suite struct CreditGrantTests {
    static let mebibyte = 1 << 20

    @Test func smallFramesKeepTheWholeWindow() {
        var grant = CreditGrant(ahead: 16, initial: 4)
        #expect(grant.through == 4)
        for sequence in 1...1000 as ClosedRange<UInt64> {
            grant.note(bytes: 100_000)
            #expect(grant.consume(sequence, memory: 256 * Self.mebibyte) == sequence + 16)
        }
    }

    @Test func largeFramesHaveAsManyAsFit() {
        var grant = CreditGrant(ahead: 16, initial: 4)
        for sequence in 1...100 as ClosedRange<UInt64> {
            grant.note(bytes: 60 * Self.mebibyte)
            #expect(grant.consume(sequence, memory: 256 * Self.mebibyte) == sequence + 4)
        }
        // Larger than the memory: one at a time.
        #expect(grant.consume(101, memory: 1) == 104)
        #expect(grant.consume(104, memory: 1) == 105)
    }

    @Test func whatWasGrantedIsNotTakenBack() {
        var grant = CreditGrant(ahead: 16, initial: 16)
        var last: UInt64 = 16
        for sequence in 1...200 as ClosedRange<UInt64> {
            grant.note(bytes: sequence % 3 == 0 ? 64 * Self.mebibyte : 100)
            let through = grant.consume(sequence, memory: 256 * Self.mebibyte)
            #expect(through >= last && through > sequence)
            last = through
        }
        // Large frames count for as long as they might come again, and not for ever.
        for sequence in 201...400 as ClosedRange<UInt64> {
            grant.note(bytes: 100)
            last = grant.consume(sequence, memory: 256 * Self.mebibyte)
        }
        #expect(last == 416)
    }

    @Test func withoutABoundItIsTheCreditAlone() {
        var grant = CreditGrant(ahead: 3, initial: 3)
        grant.note(bytes: .max)
        #expect(grant.consume(1, memory: nil) == 4)
    }

    @Test func numbersAtTheEndOfTheirRangeStayThere() {
        var grant = CreditGrant(ahead: .max, initial: .max)
        grant.note(bytes: 0)
        #expect(grant.consume(.max, memory: nil) == .max)
        #expect(grant.consume(.max, memory: 0) == .max)
        var other = CreditGrant(ahead: 16, initial: 1)
        other.note(bytes: .max)
        #expect(other.consume(.max - 1, memory: .max) == .max)
    }
}
