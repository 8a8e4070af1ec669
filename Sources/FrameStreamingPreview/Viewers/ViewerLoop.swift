internal import FrameStreamingCore
internal import FrameStreamingSystem
internal import Glibc

/// Owns the thread that sends frames to all viewers. It never waits for one of them: each has at
/// most one message in flight. The rest of a message follows when the viewer accepts more, and the
/// next message has the newest frame.
///
/// There is one thread, so that a frame wakes it once, whatever the number of viewers. It starts
/// with the first viewer.
final class ViewerLoop: Sendable {
    private struct State {
        var newcomers: [Newcomer] = []
        var hasChanged = false
        var isClosed = false
        var isSignalled = false
        var thread: SystemThread?
        var permits = 0
        var farewells = 0
        var turnedAway = 0
    }

    /// A viewer on its way to the thread, which alone uses it from then on.
    private struct Newcomer: @unchecked Sendable {
        let viewer: Viewer
    }

    let encoder: PreviewEncoder
    let maximumViewers: Int
    /// The bytes that all slow viewers together may hold.
    private let maximumKeptBytes: Int
    private let state = Monitor(State())
    private let wakeUp: WakeUp

    /// How often pages get the figures of the streams.
    private static let interval = Duration.seconds(1)
    /// The pause between listings when streams change all the time, which peers decide. Listings
    /// take at most a tenth of the thread's time, and frames have the rest.
    private static let changeInterval = Duration.milliseconds(100)
    private static let shareOfTelling = 10

    init(_ encoder: PreviewEncoder, maximumViewers: Int, maximumKeptBytes: Int) throws(SystemError) {
        self.encoder = encoder
        self.maximumViewers = maximumViewers
        self.maximumKeptBytes = maximumKeptBytes
        wakeUp = try WakeUp()
    }

    // MARK: From any thread

    /// Takes one of the places for viewers; nil when all are taken.
    func permit() -> ViewerPermit? {
        let isTaken = state.withLock { state in
            guard state.permits < maximumViewers else {
                state.turnedAway += 1
                return false
            }
            state.permits += 1
            return true
        }
        guard isTaken else { return nil }
        return ViewerPermit { [state] in state.withLock { $0.permits -= 1 } }
    }

    /// Takes a place for a client whose answer is that there is none; nil if as many get that answer
    /// already as there may be viewers.
    func farewellPermit() -> ViewerPermit? {
        let isTaken = state.withLock { state in
            guard state.farewells < maximumViewers else { return false }
            state.farewells += 1
            return true
        }
        guard isTaken else { return nil }
        return ViewerPermit { [state] in state.withLock { $0.farewells -= 1 } }
    }

    /// The number of viewers now, and the number that were turned away.
    var counts: (viewers: Int, turnedAway: Int) { state.withLock { ($0.permits, $0.turnedAway) } }

    /// Adds a viewer. The first one starts the thread.
    func add(_ viewer: sending Viewer, in registry: StreamRegistry) {
        let newcomer = Newcomer(viewer: viewer)
        let isIn = state.withLock { state in
            guard !state.isClosed else { return false }
            if state.thread == nil {
                state.thread = try? SystemThread(name: "fs-viewers") { [self] in run(registry) }
            }
            guard state.thread != nil else { return false }
            state.newcomers.append(newcomer)
            return true
        }
        if isIn { signal() } else { newcomer.viewer.leave() }
    }

    /// Wakes the thread for a new frame.
    func signal() {
        let isFirst = state.withLock { state in
            defer { state.isSignalled = true }
            return !state.isSignalled
        }
        if isFirst { wakeUp.signal() }
    }

    /// Reports that a stream was added, removed or changed, which pages show at once.
    func noteChange() {
        let isOfInterest = state.withLock { state in
            state.hasChanged = true
            return state.thread != nil
        }
        if isOfInterest { signal() }
    }

    /// Tells all viewers that the server ends, and ends the thread. Returns within two seconds.
    func close() {
        let thread = state.withLock { state in
            state.isClosed = true
            return state.thread
        }
        signal()
        thread?.join(until: Deadline.after(.seconds(2)).nanoseconds)
    }

    // MARK: The thread

    private func run(_ registry: StreamRegistry) {
        var viewers: [Viewer] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        var descriptors: [pollfd] = []
        var nextUpdate = MonotonicTime.now.advanced(by: Self.interval)
        var nextChange = MonotonicTime.now
        var isChanged = false
        var closedSince: MonotonicTime?
        while true {
            let (newcomers, hasChanged, isClosed) = state.withLock { state in
                defer {
                    state.newcomers = []
                    state.hasChanged = false
                }
                state.isSignalled = false
                return (state.newcomers, state.hasChanged, state.isClosed)
            }
            viewers += newcomers.map(\.viewer)
            var now = MonotonicTime.now
            if isClosed, closedSince == nil {
                closedSince = now
                for viewer in viewers { viewer.close() }
            }
            isChanged = isChanged || hasChanged
            if (isChanged && now >= nextChange) || now >= nextUpdate {
                isChanged = false
                let begin = now
                update(viewers, registry)
                now = .now
                let pause = now.since(begin) * Self.shareOfTelling
                nextChange = now.advanced(by: max(Self.changeInterval, pause))
                nextUpdate = now.advanced(by: max(Self.interval, pause))
            }
            for viewer in viewers {
                if viewer.isKnownToBeReady, viewer.wantsToWrite, !viewer.socket.isBusy { viewer.write(at: now) }
                viewer.endIfDone(at: now)
            }
            viewers.removeAll { viewer in
                if viewer.isOver { viewer.leave() }
                return viewer.isOver
            }
            if let closedSince, viewers.isEmpty || now.since(closedSince) >= Viewer.farewell {
                for viewer in viewers { viewer.leave() }
                return
            }

            descriptors.removeAll(keepingCapacity: true)
            descriptors.append(pollfd(fd: wakeUp.descriptor.raw, events: PollEvents.input, revents: 0))
            var deadline: MonotonicTime? = viewers.isEmpty ? nil : isChanged ? min(nextChange, nextUpdate) : nextUpdate
            for viewer in viewers {
                let events = viewer.wantsToWrite ? PollEvents.input | PollEvents.output : PollEvents.input
                descriptors.append(pollfd(fd: viewer.socket.descriptor.raw, events: events, revents: 0))
                if viewer.socket.mayHaveMore { deadline = now }
                if let its = viewer.deadline { deadline = deadline.map { min($0, its) } ?? its }
            }
            // Fails only for lack of memory, which passes.
            _ = try? wait(for: &descriptors, until: deadline?.nanoseconds)
            // Cleared before the state is read, so that a later signal wakes the next wait.
            if descriptors[0].revents != 0 { wakeUp.clear() }
            now = .now
            for (viewer, found) in zip(viewers, descriptors.dropFirst()) {
                let hasInput = found.revents & ~PollEvents.output != 0 || viewer.socket.mayHaveMore
                if hasInput { viewer.read(into: &buffer, at: now) }
                if found.revents & PollEvents.output != 0 { viewer.write(at: now) }
            }
            dropSlowest(of: viewers)
        }
    }

    /// Ends the viewers with the most bytes held, until the others fit the limit.
    private func dropSlowest(of viewers: [Viewer]) {
        var kept = viewers.reduce(0) { $0 + $1.socket.keptBytes }
        while kept > maximumKeptBytes, let slowest = viewers.max(by: { $0.socket.keptBytes < $1.socket.keptBytes }) {
            kept -= slowest.socket.keptBytes
            slowest.abandon()
        }
    }

    private func update(_ viewers: [Viewer], _ registry: StreamRegistry) {
        let entries = registry.entries
        // Encoded once, and only if a viewer needs it.
        var made: [UInt8]?
        for viewer in viewers {
            viewer.update(entries) {
                if let made { return made }
                let text = WebSocketOutput.text(registry.listing(type: "streams"))
                made = text
                return text
            }
        }
    }
}
