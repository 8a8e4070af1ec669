import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

@Suite(.ownThread(atOnce: 4)) struct FramePoolTests {
    static func frame(_ pool: FramePool, bytes: Int = 100) throws -> Frame {
        try pool.buffer(byteCount: bytes).makeFrame(
            format: FrameFormat(width: 10, height: 10, pixelFormat: .gray8))
    }

    @Test func theSlotReturnsWithTheLastCopyOfTheFrame() throws {
        let pool = FramePool(capacity: 2)
        var first: Frame? = try Self.frame(pool)
        var second = first
        #expect(pool.statistics.leased == 1)
        #expect(second?.byteCount == 100)
        first = nil
        #expect(pool.statistics.leased == 1)
        second = nil
        #expect(pool.statistics.leased == 0)
    }

    @Test func aBufferThatBecomesNoFrameReturns() {
        let pool = FramePool(capacity: 2)
        do {
            let buffer = pool.buffer(byteCount: 10)
            #expect(buffer.byteCount == 10)
            #expect(pool.statistics.leased == 1)
        }
        #expect(pool.statistics.leased == 0)
    }

    @Test func memoryBeyondWhatIsKeptIsFreed() {
        let pool = FramePool(capacity: 4, maximumKeptByteCount: 100_000)
        // Frames in use may exceed the limit.
        for _ in 0..<2 {
            let one = pool.buffer(byteCount: 60_000)
            let two = pool.buffer(byteCount: 60_000)
            let three = pool.buffer(byteCount: 60_000)
            #expect(pool.statistics.leased == 3 && pool.statistics.unpooled == 0)
            #expect(one.byteCount + two.byteCount + three.byteCount == 180_000)
        }
        // One of three was kept each time.
        #expect(pool.statistics.allocations == 5 && pool.statistics.leased == 0)
        // Small buffers are freed for a large one, and allocated again.
        for _ in 0..<2 {
            _ = pool.buffer(byteCount: 100_000).byteCount
            _ = pool.buffer(byteCount: 50_000).byteCount
        }
        #expect(pool.statistics.allocations == 6)
    }

    @Test func aWarmPoolAllocatesNothing() throws {
        let pool = FramePool(capacity: 3)
        for size in [900, 100, 1000] { _ = try Self.frame(pool, bytes: size) }
        let before = pool.statistics.allocations
        for index in 0..<1000 { _ = try Self.frame(pool, bytes: 100 + index % 900) }
        #expect(pool.statistics.allocations == before)
        #expect(pool.statistics.unpooled == 0)
    }

    @Test func slotsGrowWithTheFrames() throws {
        let pool = FramePool(capacity: 1)
        _ = try Self.frame(pool, bytes: 100)
        _ = try Self.frame(pool, bytes: 1_000_000)
        _ = try Self.frame(pool, bytes: 100)
        _ = try Self.frame(pool, bytes: 1_000_000)
        #expect(pool.statistics.allocations == 2)
    }

    @Test func aPoolThatIsUsedUpCountsAndGoesOn() throws {
        let pool = FramePool(capacity: 2)
        var frames = try (0..<5).map { _ in try Self.frame(pool) }
        #expect(pool.statistics.leased == 2)
        #expect(pool.statistics.unpooled == 3)
        frames.removeAll()
        #expect(pool.statistics.leased == 0)
    }

    @Test func framesOutliveTheirPool() throws {
        var pool: FramePool? = FramePool(capacity: 1)
        var buffer = try #require(pool).buffer(byteCount: 100)
        var bytes = buffer.bytes
        for index in 0..<100 { bytes.storeBytes(of: UInt8(index), toByteOffset: index, as: UInt8.self) }
        let frame = try buffer.makeFrame(format: FrameFormat(width: 10, height: 10, pixelFormat: .gray8))
        pool = nil
        let kept = frame.bytes
        #expect((0..<100).allSatisfy { unsafe kept.unsafeLoad(fromByteOffset: $0, as: UInt8.self) == UInt8($0) })
    }

    @Test func threadsLeaseAndReturnAtOnce() throws {
        let pool = FramePool(capacity: 4)
        let threads = try (0..<6).map { index in
            try Background("lease \(index)") {
                for size in 1..<2000 { _ = pool.buffer(byteCount: size) }
            }
        }
        for thread in threads { try thread.value() }
        #expect(pool.statistics.leased == 0)
    }

    @Test func tooFewBytesForTheFormatAreRefused() throws {
        let pool = FramePool(capacity: 1)
        let format = try FrameFormat(width: 10, height: 10, pixelFormat: .gray8)
        #expect(throws: FrameStreamingError.self) { try pool.buffer(byteCount: 99).makeFrame(format: format) }
        #expect(throws: FrameStreamingError.self) {
            try pool.buffer(byteCount: 100).makeFrame(format: format, usedBytes: 101)
        }
        #expect(pool.statistics.leased == 0)
    }

    @Test func memoryOfSomebodyElseIsReleasedOnceAfterTheLastFrame() throws {
        let released = Monitor(0)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 100, alignment: 16)
        defer { unsafe memory.deallocate() }
        var frame: Frame? = try unsafe FrameBuffer(memory: memory) { released.update { $0 += 1 } }
            .makeFrame(format: FrameFormat(width: 10, height: 10, pixelFormat: .gray8))
        let copy = frame?.copy()
        #expect(copy?.sharesBytes(with: try #require(frame)) == false)
        #expect(released.withLock { $0 } == 0)
        frame = nil
        #expect(released.withLock { $0 } == 1)
    }

    @Test func aCopyKeepsTheBytesAndTheDescription() throws {
        var frame = try Frame.filled(
            FrameFormat(width: 17, height: 13, pixelFormat: .i420), sequence: 9,
            captureTime: CaptureTime(nanoseconds: 5)
        ) { UInt8(truncatingIfNeeded: $0 &* 31) }
        frame.quality = 30
        frame.metadata = [1, 2]
        frame.sourceColorRange = .full
        let copy = frame.copy(from: FramePool(capacity: 1))
        #expect(copy.sequence == 9 && copy.captureTime?.nanoseconds == 5 && copy.quality == 30)
        #expect(copy.metadata == [1, 2] && copy.sourceColorRange == .full && copy.format == frame.format)
        #expect(copy.contents == frame.contents)
        let chroma = copy.plane(2)
        #expect(chroma.samples.count == 63)
        #expect(chroma.samples[0] == frame.contents[284])
    }
}

extension Frame {
    /// The bytes as an array, to compare.
    var contents: [UInt8] {
        let span = samples
        return span.indices.map { span[$0] }
    }
}
