import FrameStreamingCore
import FrameStreamingSystem
import TestThreads
import Testing

@testable import FrameStreamingTCP

@Suite struct MemoryBudgetTests {
    static let mebibyte = 1 << 20

    @Test func anInvalidBudgetIsRefused() throws {
        #expect(code { _ = try MemoryBudget(total: 0) } == .invalidArgument)
        #expect(code { _ = try MemoryBudget(total: 5, connection: 0) } == .invalidArgument)
        #expect(code { _ = try MemoryBudget(total: 5, connection: 6) } == .invalidArgument)
        let budget = try MemoryBudget(total: 3)
        #expect(budget.total == 3 && budget.connection == 1)
        #expect(MemoryBudget.standard.total <= 1 << 30 && MemoryBudget.standard.total <= physicalMemory())
    }

    @Test func aConnectionHasOneLargestFrameInAnyCaseAndMoreWithinItsPart() throws {
        let budget = try MemoryBudget(total: 100 * Self.mebibyte, connection: 30 * Self.mebibyte)
        let account = FrameMemoryAccount(budget, maximumFrameByteCount: 10 * Self.mebibyte)
        for _ in 0..<3 { #expect(account.take(10 * Self.mebibyte)) }
        #expect(!account.take(1))
        account.consumed(through: 1)
        #expect(account.held == 20 * Self.mebibyte && account.take(10 * Self.mebibyte) && !account.take(1))
        account.consumed(through: 4)
        #expect(account.held == 0 && budget.used == 0)
    }

    @Test func whatOthersHoldLeavesEachItsLargestFrame() throws {
        let budget = try MemoryBudget(total: 30 * Self.mebibyte, connection: 30 * Self.mebibyte)
        let greedy = FrameMemoryAccount(budget, maximumFrameByteCount: 10 * Self.mebibyte)
        while greedy.take(10 * Self.mebibyte) {}
        #expect(greedy.held == 30 * Self.mebibyte)
        let others = (0..<3).map { _ in FrameMemoryAccount(budget, maximumFrameByteCount: 10 * Self.mebibyte) }
        for other in others {
            // A stream of small frames is not affected.
            for _ in 0..<16 { #expect(other.take(600_000)) }
            #expect(!other.take(10 * Self.mebibyte))
        }
        // The bound of all together: the budget and one largest frame each.
        #expect(budget.used <= (30 + 4 * 10) * Self.mebibyte)
    }

    @Test func aReleasedConnectionReturnsItsMemory() throws {
        let budget = try MemoryBudget(total: 10 * Self.mebibyte)
        var account: FrameMemoryAccount? = FrameMemoryAccount(budget, maximumFrameByteCount: 5 * Self.mebibyte)
        #expect(account?.take(5 * Self.mebibyte) == true && budget.used == 5 * Self.mebibyte)
        account = nil
        #expect(budget.used == 0 && account == nil)
    }

    @Test func theShareFallsWithTheConnections() throws {
        let budget = try MemoryBudget(total: 100 * Self.mebibyte, connection: 40 * Self.mebibyte)
        let one = FrameMemoryAccount(budget, maximumFrameByteCount: Self.mebibyte)
        #expect(one.share == 40 * Self.mebibyte)
        let others = (0..<199).map { _ in FrameMemoryAccount(budget, maximumFrameByteCount: Self.mebibyte) }
        #expect(one.share == Self.mebibyte + Frame.maximumMetadataByteCount && others.count == 199)
    }

    @Test func aWaitEndsByTheOwnConsumerAndByAnother() throws {
        let budget = try MemoryBudget(total: 20 * Self.mebibyte, connection: 20 * Self.mebibyte)
        let (one, two) = (
            FrameMemoryAccount(budget, maximumFrameByteCount: 10 * Self.mebibyte),
            FrameMemoryAccount(budget, maximumFrameByteCount: 10 * Self.mebibyte)
        )
        #expect(one.take(10 * Self.mebibyte) && one.take(Self.mebibyte) && two.take(9 * Self.mebibyte))
        let waiting = try Background {
            two.take(9 * Self.mebibyte, until: soon().nanoseconds, unless: { false }) == .taken
        }
        one.consumed(through: 2)
        #expect(try waiting.value())
        let again = try Background {
            two.take(10 * Self.mebibyte, until: soon().nanoseconds, unless: { false }) == .taken
        }
        two.consumed(through: 1)
        #expect(try again.value())
    }

    @Test func aWaitEndsWhenItIsOverOrItsTimeIs() throws {
        let account = FrameMemoryAccount(try MemoryBudget(total: 1), maximumFrameByteCount: 1)
        #expect(account.take(1 + Frame.maximumMetadataByteCount) && !account.take(1))
        #expect(account.take(1, until: monotonicNow(), unless: { false }) == .timedOut)
        let isOver = Monitor(false)
        let waiting = try Background {
            account.take(1, until: soon().nanoseconds, unless: { isOver.withLock { $0 } }) == .isOver
        }
        isOver.withLock { $0 = true }
        account.wake()
        #expect(try waiting.value())
    }

    @Test func framesThatAreDroppedKeepTheCount() throws {
        let account = FrameMemoryAccount(
            try MemoryBudget(total: 100 * Self.mebibyte), maximumFrameByteCount: Self.mebibyte)
        for _ in 0..<200 {
            #expect(account.take(1000))
            account.pass()
        }
        account.consumed(through: 399)
        #expect(account.held == 0)
        #expect(account.take(7))
        account.consumed(through: 400)
        #expect(account.held == 7)
        account.consumed(through: .max)
        #expect(account.held == 0)
    }
}
