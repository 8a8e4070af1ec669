import FrameStreamingCore
import FrameStreamingSystem
import FrameStreamingTesting
import TestThreads
import Testing

/// What the sender of a file hears for each way in which a loop over `frames` can end. The loop
/// takes frames out of a hundred, and has the fifth when it is left.
@Suite(.ownThread(atOnce: 4)) struct LeavingFramesTests {
    private static let released = Goodbye.failed("the receiver was released without close()")

    private struct Sending {
        let sender: FrameSender
        let run: Background<SenderSummary>

        init(over transport: MemoryTransport, frames: Int = 100) throws {
            let sender = try FrameSender(
                codec: IdentityCodec(), transport: transport, options: SenderOptions(policy: .reliable))
            let pictures = try FrameSenderTests.frames(frames)
            self.sender = sender
            run = try Background {
                var source = ScriptedSource(pictures)
                return try sender.run(&source)
            }
        }

        /// Expects a run that throws, because the receiver said that it failed.
        func expectFailure(
            _ goodbye: Goodbye, acknowledged: Int, sourceLocation: SourceLocation = #_sourceLocation
        ) {
            let error = run.error(as: FrameStreamingError.self, sourceLocation: sourceLocation)
            #expect(error?.code == .peerFailed, sourceLocation: sourceLocation)
            #expect(error?.message == "the receiver failed: \(goodbye.text)", sourceLocation: sourceLocation)
            let receiver = sender.summary.receivers[0]
            #expect(receiver.peer.goodbye == goodbye && receiver.end == .error, sourceLocation: sourceLocation)
            #expect(receiver.statistics.acknowledged == acknowledged, sourceLocation: sourceLocation)
        }

        /// Expects a run that returns, because the receiver left as it wanted.
        func expectLeft(
            _ goodbye: Goodbye, acknowledged: Int, sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let summary = try run.value(sourceLocation: sourceLocation)
            #expect(summary.receivers[0].peer.goodbye == goodbye, sourceLocation: sourceLocation)
            #expect(summary.receivers[0].end == .bye, sourceLocation: sourceLocation)
            #expect(summary.total.acknowledged == acknowledged, sourceLocation: sourceLocation)
        }
    }

    private struct FullDisk: Error {}

    private static func receiver(_ link: (sender: MemoryTransport, receiver: MemoryTransport)) throws -> FrameReceiver {
        try FrameReceiver(codec: IdentityCodec(), transport: link.receiver)
    }

    /// Takes five frames, and calls `body` with the fifth.
    private static func takeFive(_ receiver: FrameReceiver, _ body: () async throws -> Void) async throws {
        var count = 0
        for try await _ in receiver.frames {
            count += 1
            if count == 5 {
                try await body()
                break
            }
        }
    }

    @Test func theEndOfTheStream() async throws {
        let link = MemoryTransport.pair()
        let sending = try Sending(over: link.sender, frames: 20)
        let receiver = try Self.receiver(link)
        var count = 0
        for try await _ in receiver.frames { count += 1 }
        // The goodbye is over: this changes nothing and does not wait.
        await receiver.close(.failed("too late"))
        #expect(count == 20 && receiver.end == .bye)
        let summary = try sending.run.value()
        #expect(summary.total.acknowledged == 20 && summary.receivers[0].end == .bye)
    }

    @Test func aBreakAndAClose() async throws {
        let link = MemoryTransport.pair()
        let sending = try Sending(over: link.sender)
        let receiver = try Self.receiver(link)
        try await Self.takeFive(receiver) {}
        await receiver.close(.complete("five are enough"))
        try sending.expectLeft(.complete("five are enough"), acknowledged: 5)
        #expect(receiver.end == .bye && receiver.statistics.frames == 5)
    }

    @Test func aBreakAndARelease() async throws {
        let link = MemoryTransport.pair()
        let sending = try Sending(over: link.sender)
        try await Self.takeFive(try Self.receiver(link)) {}
        sending.expectFailure(Self.released, acknowledged: 4)
    }

    @Test func aThrowAndARelease() async throws {
        let link = MemoryTransport.pair()
        let sending = try Sending(over: link.sender)
        await #expect(throws: FullDisk.self) {
            try await Self.takeFive(try Self.receiver(link)) { throw FullDisk() }
        }
        sending.expectFailure(Self.released, acknowledged: 4)
    }

    @Test func aThrowAndAClose() async throws {
        let link = MemoryTransport.pair()
        let sending = try Sending(over: link.sender)
        let receiver = try Self.receiver(link)
        await #expect(throws: FullDisk.self) { try await Self.takeFive(receiver) { throw FullDisk() } }
        await receiver.close(.failed("the disk is full"), consumed: false)
        sending.expectFailure(.failed("the disk is full"), acknowledged: 4)
    }

    /// The blocking calls as well: a release is no sign that all is well.
    @Test func aReleaseBetweenBlockingCalls() throws {
        let link = MemoryTransport.pair()
        let sending = try Sending(over: link.sender)
        try {
            let receiver = try Self.receiver(link)
            for _ in 0..<5 { _ = try receiver.next() }
        }()
        sending.expectFailure(Self.released, acknowledged: 4)
    }

    @Test func aReleaseAfterAStopSaysWhatTheStopSaid() throws {
        let link = MemoryTransport.pair()
        let sending = try Sending(over: link.sender)
        try {
            let receiver = try Self.receiver(link)
            for _ in 0..<5 { _ = try receiver.next() }
            receiver.stop(.stopped("restarting"))
        }()
        try sending.expectLeft(.stopped("restarting"), acknowledged: 4)
    }

    /// Where a task and the one that cancels it meet.
    private final class Meeting: Sendable {
        private let isThere = Monitor(false)

        /// Waits in the task until it was cancelled.
        func waitForCancel() async {
            isThere.update { $0 = true }
            while !Task.isCancelled { await Task.yield() }
        }

        /// Cancels the task when it waits for that.
        func cancel(_ task: Task<some Sendable, any Error>) throws {
            try waitUntil("the task to be where it is cancelled") { isThere.withLock { $0 } }
            task.cancel()
        }
    }

    @Test func aCancelBetweenFrames() async throws {
        let link = MemoryTransport.pair()
        let meeting = Meeting()
        let sending = try Sending(over: link.sender)
        let receiver = try Self.receiver(link)
        let task = Task {
            var iterator = receiver.frames.makeAsyncIterator()
            for _ in 0..<5 { _ = try await iterator.next() }
            await meeting.waitForCancel()
            let isOver = try await iterator.next() == nil
            // The cancelled task waits for the goodbye, so that its program may exit.
            await receiver.close()
            return isOver && receiver.end == .cancelled
        }
        try meeting.cancel(task)
        #expect(try await task.value)
        // The loop had asked for the next frame, so the fifth was consumed.
        #expect(link.receiver.peer.goodbye == nil && link.sender.peer.goodbye == .stopped("receiver stopped"))
        try sending.expectLeft(.stopped("receiver stopped"), acknowledged: 5)
    }

    @Test func aCancelInTheBodyThatThrows() async throws {
        let link = MemoryTransport.pair()
        let meeting = Meeting()
        let sending = try Sending(over: link.sender)
        let task = Task {
            try await Self.takeFive(try Self.receiver(link)) {
                await meeting.waitForCancel()
                try Task.checkCancellation()
            }
        }
        try meeting.cancel(task)
        await #expect(throws: CancellationError.self) { try await task.value }
        try sending.expectLeft(.stopped("the receiver's task was cancelled"), acknowledged: 4)
    }

    /// What the program says counts, in a cancelled task too.
    @Test func aCancelInTheBodyThatBreaksAndAClose() async throws {
        let link = MemoryTransport.pair()
        let meeting = Meeting()
        let sending = try Sending(over: link.sender)
        let task = Task {
            let receiver = try Self.receiver(link)
            try await Self.takeFive(receiver) { await meeting.waitForCancel() }
            await receiver.close(.complete("five are enough"))
        }
        try meeting.cancel(task)
        try await task.value
        try sending.expectLeft(.complete("five are enough"), acknowledged: 5)
    }

    /// A loop after that one may not inherit its cancel.
    @Test func aThrowAfterACancelledLoop() async throws {
        let link = MemoryTransport.pair()
        let meeting = Meeting()
        let sending = try Sending(over: link.sender)
        try await {
            let receiver = try Self.receiver(link)
            let task = Task { try await Self.takeFive(receiver) { await meeting.waitForCancel() } }
            try meeting.cancel(task)
            try await task.value
            await #expect(throws: FullDisk.self) {
                for try await _ in receiver.frames { throw FullDisk() }
            }
        }()
        sending.expectFailure(Self.released, acknowledged: 5)
    }

    /// Nor that of a consumer which never had its turn.
    @Test func aThrowBesideACancelledTask() async throws {
        let link = MemoryTransport.pair()
        let meeting = Meeting()
        let sending = try Sending(over: link.sender)
        try await {
            let receiver = try Self.receiver(link)
            await #expect(throws: FullDisk.self) {
                try await Self.takeFive(receiver) {
                    let other = Task {
                        await meeting.waitForCancel()
                        for try await _ in receiver.frames {}
                    }
                    try meeting.cancel(other)
                    try await other.value
                    throw FullDisk()
                }
            }
        }()
        sending.expectFailure(Self.released, acknowledged: 4)
    }
}
