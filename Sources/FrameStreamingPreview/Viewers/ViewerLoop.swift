internal import FrameStreamingCore
internal import FrameStreamingSystem
internal import Glibc

/// The thread that all pictures go to viewers from. It never waits for one of them: each has at most one message under way, what it does
/// not take now it is offered again when there is room, and by then there may be a newer picture.
///
/// One thread, for all of them: a picture wakes it once, however many look. It begins with the first viewer.
final class ViewerLoop: Sendable {
    private struct State {
        var newcomers: [Newcomer] = []
        var hasChanged = false
        var isClosed = false
        var isSignalled = false
        var thread: SystemThread?
        var seats = 0
        var turnedAway = 0
    }

    /// Handed over to the thread, and used there only from then on.
    private struct Newcomer: @unchecked Sendable {
        let viewer: Viewer
    }

    let pictures: PictureEncoding
    let maximumViewers: Int
    /// The bytes that all viewers together may have kept for them because they are slow.
    private let maximumKeptBytes: Int
    private let state = Monitor(State())
    private let wakeUp: WakeUp

    /// How often pages are told how the streams are doing.
    private static let interval = Duration.seconds(1)
    /// How soon again where streams come, go or change without end, which is a peer's to decide: telling takes at most a tenth of the
    /// thread's time, and pictures have the rest.
    private static let changeInterval = Duration.milliseconds(100)
    private static let shareOfTelling = 10

    init(_ pictures: PictureEncoding, maximumViewers: Int, maximumKeptBytes: Int) throws(SystemError) {
        self.pictures = pictures
        self.maximumViewers = maximumViewers
        self.maximumKeptBytes = maximumKeptBytes
        wakeUp = try WakeUp()
    }

    // MARK: From any thread

    /// A place for one more; nil when all are taken.
    func seat() -> Seat? {
        let isTaken = state.withLock { state in
            guard state.seats < maximumViewers else {
                state.turnedAway += 1
                return false
            }
            state.seats += 1
            return true
        }
        guard isTaken else { return nil }
        return Seat { [state] in state.withLock { $0.seats -= 1 } }
    }

    /// Who looks now, and how many were turned away.
    var counts: (viewers: Int, turnedAway: Int) { state.withLock { ($0.seats, $0.turnedAway) } }

    /// Takes a viewer over, with the thread of all where it is the first.
    func add(_ viewer: sending Viewer, in registry: StreamRegistry) {
        let newcomer = Newcomer(viewer: viewer)
        let isIn = state.withLock { state in
            guard !state.isClosed else { return false }
            if state.thread == nil {
                state.thread = try? SystemThread(name: "frame-viewers") { [self] in run(registry) }
            }
            guard state.thread != nil else { return false }
            state.newcomers.append(newcomer)
            return true
        }
        if isIn { signal() } else { newcomer.viewer.leave() }
    }

    /// There is a picture.
    func signal() {
        let isFirst = state.withLock { state in
            defer { state.isSignalled = true }
            return !state.isSignalled
        }
        if isFirst { wakeUp.signal() }
    }

    /// A stream has come, gone or changed: pages are told.
    func noteChange() {
        let isOfInterest = state.withLock { state in
            state.hasChanged = true
            return state.thread != nil
        }
        if isOfInterest { signal() }
    }

    /// Says goodbye to all, and ends the thread. Returns when it has, within two seconds.
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
                if let its = viewer.deadline { deadline = deadline.map { min($0, its) } ?? its }
            }
            // Cannot fail but for want of memory, which passes.
            _ = try? wait(for: &descriptors, until: deadline?.nanoseconds)
            // Before the state is looked at: what is signalled from now on wakes the next wait.
            if descriptors[0].revents != 0 { wakeUp.clear() }
            now = .now
            for (viewer, found) in zip(viewers, descriptors.dropFirst()) where found.revents != 0 {
                let hasInput = found.revents & ~PollEvents.output != 0
                if hasInput { viewer.read(into: &buffer, at: now) }
                if found.revents & PollEvents.output != 0 { viewer.write(at: now) }
            }
            dropSlowest(of: viewers)
        }
    }

    /// Ends viewers whose rests of pictures have more bytes together than there may be, those with the most first.
    private func dropSlowest(of viewers: [Viewer]) {
        var kept = viewers.reduce(0) { $0 + $1.socket.keptBytes }
        while kept > maximumKeptBytes, let slowest = viewers.max(by: { $0.socket.keptBytes < $1.socket.keptBytes }) {
            kept -= slowest.socket.keptBytes
            slowest.abandon()
        }
    }

    private func update(_ viewers: [Viewer], _ registry: StreamRegistry) {
        let tiles = registry.tiles
        // Made once, and only where somebody is told.
        var made: [UInt8]?
        for viewer in viewers {
            viewer.update(tiles) {
                if let made { return made }
                let text = WebSocketOutput.text(registry.listing(type: "streams"))
                made = text
                return text
            }
        }
    }
}
