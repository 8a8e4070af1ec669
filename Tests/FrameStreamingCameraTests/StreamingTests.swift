import CV4L2
import FrameStreamingSystem
import FrameStreamingTesting
import Glibc
import TestThreads
import Testing

@testable import FrameStreamingCamera
@testable import FrameStreamingCore

/// Frames from scripted drivers, with the faults of real ones.
@Suite(.ownThread(atOnce: 4)) struct StreamingTests {
    // MARK: Leases

    @Test func aFrameIsTheDriversBuffer() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(.frame(yuyv(7)))
        var frame = try camera.frame()
        #expect(frame?.all == yuyv(7)[0])
        #expect(camera.pool.statistics.allocations == 0)
        #expect(video.node { $0.queued.count } == 4)
        var copy = frame
        frame = nil
        #expect(video.node { $0.queued.count } == 4)
        #expect(copy?.firstByte == 7)
        copy = nil
        #expect(video.node { $0.queued.count } == 5)
    }

    @Test func anyThreadMayReturnABuffer() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(.frame(yuyv(7)))
        let held = Monitor<Frame?>(try camera.frame())
        let holder = try Background("the holder of a frame") {
            let frame = held.withLock { held in
                defer { held = nil }
                return held
            }
            #expect(frame?.firstByte == 7)
        }
        try holder.value()
        #expect(video.node { $0.queued.count } == 5)
    }

    @Test func theDriverAlwaysHasABuffer() throws {
        let video = FakeVideo()
        let camera = try video.camera { $0.bufferCount = 3 }
        var held: [Frame] = []
        for value in 0..<10 as Range<UInt8> {
            video.deliver(.frame(yuyv(value), sequence: UInt32(value)))
            held.append(try #require(try camera.frame()))
            #expect(video.node { $0.queued.count } >= 1)
        }
        #expect(camera.statistics.copiedOut == 8)
        #expect(held.map(\.firstByte) == Array(0..<10))
        // Holding all Frames is no stall: streaming was not restarted.
        #expect(camera.statistics.restarts == 0)
        held = []
        #expect(video.node { $0.queued.count } == 3)
        video.deliver(.frame(yuyv(50)))
        #expect(try camera.frame()?.firstByte == 50)
        #expect(camera.statistics.copiedOut == 8)
    }

    @Test func framesOutliveAClosedCamera() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(.frame(yuyv(7), sequence: 1))
        var frame = try camera.frame()
        let address = frame?.address
        camera.close()
        camera.close()
        #expect(video.state.withLock { $0.open.isEmpty })
        #expect(video.count(fs_VIDIOC_STREAMOFF) >= 1)
        // The driver's memory changes, but the Frame no longer uses it. Its address is the same.
        scribble(video)
        #expect(frame?.all == yuyv(7)[0])
        #expect(frame?.address == address)
        let before = video.count(fs_VIDIOC_QBUF)
        frame = nil
        #expect(video.count(fs_VIDIOC_QBUF) == before)
        #expect(try camera.next(until: .never) == nil)
    }

    /// Fills all of the driver's memory with 0xEE.
    private func scribble(_ video: FakeVideo) {
        video.node { node in
            let junk = [UInt8](repeating: 0xEE, count: 4096 * 5)
            _ = unsafe junk.withUnsafeBytes { unsafe pwrite(node.memory?.raw ?? -1, $0.baseAddress, $0.count, 0) }
        }
    }

    @Test func aHeldFrameIsTheDriversMemoryUntilClose() throws {
        // The counterpart: while the camera is open, the Frame is that memory. (A real driver
        // does not write to a leased buffer.)
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(.frame(yuyv(7)))
        let frame = try #require(try camera.frame())
        scribble(video)
        #expect(frame.firstByte == 0xEE)
    }

    @Test func closingEndsAWait() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        camera.wakeUp.signal()
        camera.shared.withLock { $0.isClosed = true }
        #expect(try camera.next(until: .never) == nil)
    }

    // MARK: Order and drops

    @Test func theNewestFrameIsTakenAndOthersReturn() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(
            .frame(yuyv(1), sequence: 1), .frame(yuyv(2), sequence: 2), .frame(yuyv(3), sequence: 3),
            .frame(yuyv(4), sequence: 4, flags: 0x2040))
        let frame = try #require(try camera.frame())
        // The newest good frame.
        #expect(frame.firstByte == 3)
        #expect(video.node { $0.queued.count } == 4)
        #expect(camera.statistics.skipped == 2)
        #expect(camera.statistics.errorBuffers == 1)
        #expect(camera.statistics.frames == 1)
    }

    @Test(
        arguments: [
            ([0, 1, 2], 0, [0, 1, 2]), ([5, 8, 9], 2, [0, 3, 4]), ([.max - 1, .max, 0, 2], 1, [0, 1, 2, 4]),
            // A repeated number, a restarted count, and a jump that is no gap.
            ([3, 3, 4], 0, [0, 1, 2]), ([100, 0, 1], 0, [0, 1, 2]), ([0, 0x8000_0000, 0x8000_0001], 0, [0, 1, 2]),
        ] as [([UInt32], Int, [UInt64])])
    func gapsCountAsDrops(_ sequences: [UInt32], _ drops: Int, _ numbers: [UInt64]) throws {
        let video = FakeVideo()
        let camera = try video.camera()
        var seen: [UInt64] = []
        for sequence in sequences {
            video.deliver(.frame(yuyv(1), sequence: sequence))
            seen.append(try #require(try camera.frame()).sequence)
        }
        #expect(seen == numbers)
        #expect(camera.statistics.driverDrops == drops)
    }

    @Test func staleFramesAreSkipped() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(.frame(yuyv(1)))
        #expect(try camera.frame()?.firstByte == 1)
        // While the consumer sleeps, the driver fills all of its buffers and stops.
        video.clock.advance(by: .seconds(8))
        for value in 2...6 as ClosedRange<UInt8> { video.deliver(.frame(yuyv(value), sequence: UInt32(value))) }
        #expect(try camera.frame() == nil)
        #expect(camera.statistics.skipped == 5)
        video.deliver(.frame(yuyv(9), sequence: 7, stamp: video.clock.now.nanoseconds))
        #expect(try camera.frame()?.firstByte == 9)
        // The time that the consumer slept is no stall.
        #expect(camera.statistics.restarts == 0)
    }

    // MARK: Inconsistent buffers

    @Test func shortAndEmptyBuffersReturn() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(
            .frame(yuyv(1), used: 0), .frame(yuyv(2), used: 255), .frame(yuyv(3), used: 256),
            .frame(yuyv(4), used: 100_000))
        #expect(try camera.frame()?.firstByte == 3)
        #expect(camera.statistics.shortFrames == 2)
        #expect(camera.statistics.invalidBuffers == 1)
        #expect(video.node { $0.queued.count } == 5)
    }

    @Test(arguments: [5, 99, UInt32.max]) func anInvalidIndexRestartsStreaming(_ index: UInt32) throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(.frame(yuyv(1), index: index))
        #expect(try camera.frame() == nil)
        #expect(camera.statistics.invalidBuffers == 1)
        #expect(camera.statistics.restarts == 1)
        #expect(video.node { $0.queued.count } == 5)
        video.deliver(.frame(yuyv(2)))
        #expect(try camera.frame()?.firstByte == 2)
    }

    @Test func aLeasedBufferIsNotDequeuedAgain() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(.frame(yuyv(1), sequence: 1))
        let held = try #require(try camera.frame())
        // The consumer holds buffer 0, and the driver returns it once more.
        video.deliver(.frame(yuyv(2), sequence: 2, index: 0))
        #expect(try camera.frame() == nil)
        #expect(camera.statistics.invalidBuffers == 1)
        #expect(held.firstByte == 1)
    }

    // MARK: errno

    @Test(arguments: [
        fs_VIDIOC_QUERYCAP, fs_VIDIOC_S_FMT, fs_VIDIOC_S_PARM, fs_VIDIOC_REQBUFS, fs_VIDIOC_QUERYBUF, fs_VIDIOC_QBUF,
        fs_VIDIOC_STREAMON, fs_VIDIOC_DQBUF,
    ])
    func interruptedCallsAreRepeated(_ request: UInt) throws {
        let video = FakeVideo()
        video.node { $0.failures[request] = [CInt](repeating: EINTR, count: 200) }
        let camera = try video.camera()
        video.deliver(.frame(yuyv(4)))
        #expect(try camera.frame()?.firstByte == 4)
        #expect(camera.granted.rate == .thirty)
    }

    @Test func aWakeUpWithoutAFrameIsNoErrorAndNoBusyLoop() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        // poll reports a frame, but VIDIOC_DQBUF has none.
        video.node { $0.polls = [Int16](repeating: PollEvents.input, count: 1000) }
        let looked = video.count(fs_VIDIOC_DQBUF)
        #expect(try camera.frame(20) == nil)
        #expect(video.count(fs_VIDIOC_DQBUF) - looked < 20)
        #expect(camera.statistics.restarts == 0)
        video.node { $0.polls = [] }
        video.deliver(.failure(EAGAIN), .frame(yuyv(4)))
        #expect(try camera.frame()?.firstByte == 4)
    }

    @Test(
        arguments: [
            // The errnos of VIDIOC_DQBUF, then the number of restarts and of reopenings.
            ([EIO], 0, 0), ([EIO, EIO], 0, 0), ([EIO, EIO, EIO], 1, 0), ([EPIPE], 1, 0), ([EINVAL], 1, 0),
            ([ENODEV], 0, 1), ([ENXIO], 0, 1), ([EPIPE, EPIPE], 1, 1),
        ] as [([CInt], Int, Int)])
    func failedDequeuesRestartOrReopen(_ codes: [CInt], _ restarts: Int, _ reopens: Int) throws {
        let video = FakeVideo()
        let camera = try video.camera()
        for code in codes { video.deliver(.failure(code)) }
        video.deliver(.frame(yuyv(4)))
        var words: [String] = []
        for _ in 0..<40 where words.last != "frame 4" {
            if let event = try camera.event() { words.append(event.words) }
        }
        #expect(
            words == (reopens > 0 ? ["lost sourceLost", "restored", "frame 4"] : ["frame 4"])
                || words.first == "lost system")
        #expect(words.last == "frame 4")
        #expect(camera.statistics.restarts == restarts)
        #expect(camera.statistics.reopens == reopens)
    }

    @Test func aFailureAfterAFrameIsReportedAfterIt() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(.frame(yuyv(4)), .failure(ENODEV))
        #expect(try camera.frame()?.firstByte == 4)
        #expect(try camera.event()?.words == "lost sourceLost")
    }

    @Test func aPollErrorBeforeDataLosesNothing() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.node { $0.polls = [PollEvents.error, PollEvents.error] }
        video.deliver(.failure(EAGAIN), .failure(EAGAIN), .frame(yuyv(4)))
        #expect(try camera.frame()?.firstByte == 4)
        #expect(camera.statistics.restarts == 0)
        // A lasting error is cured by a restart.
        video.node { $0.polls = [Int16](repeating: PollEvents.error, count: 3) }
        #expect(try camera.frame() == nil)
        #expect(camera.statistics.restarts == 1)
        video.deliver(.frame(yuyv(5)))
        #expect(try camera.frame()?.firstByte == 5)
    }

    @Test func aHangUpMeansThatTheDeviceIsGone() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.node { $0.polls = [PollEvents.error | PollEvents.hangUp] }
        #expect(try camera.event()?.words == "lost sourceLost")
        #expect(video.state.withLock { $0.open.isEmpty })
    }

    @Test func aRefusedBufferIsQueuedAgain() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        video.deliver(.frame(yuyv(1)))
        video.node { $0.failures[fs_VIDIOC_QBUF] = [EINVAL] }
        #expect(try camera.frame()?.firstByte == 1)
        #expect(video.node { $0.queued.count } == 4)
        video.deliver(.frame(yuyv(2), sequence: 1))
        #expect(try camera.frame()?.firstByte == 2)
        #expect(video.node { $0.queued.count } == 5)
        #expect(camera.statistics.restarts == 0)
    }

    @Test func aRefusedBufferAtTheStartIsNoError() throws {
        let video = FakeVideo()
        video.node { $0.failures[fs_VIDIOC_QBUF] = [EINVAL] }
        let camera = try video.camera()
        video.deliver(.frame(yuyv(2)))
        #expect(try camera.frame()?.firstByte == 2)
        #expect(video.node { $0.queued.count } == 5)
    }

    @Test func manyFramesLeakNothing() throws {
        let video = FakeVideo()
        let camera = try video.camera()
        for number in 0..<3000 {
            video.deliver(.frame(yuyv(UInt8(number & 255)), sequence: UInt32(number)))
            let frame = try #require(try camera.frame())
            #expect(frame.firstByte == UInt8(number & 255))
        }
        #expect(video.node { $0.queued.count } == 5)
        #expect(camera.statistics.frames == 3000)
        #expect(camera.pool.statistics.allocations == 0)
    }
}
