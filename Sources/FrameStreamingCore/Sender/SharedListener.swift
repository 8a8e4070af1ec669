internal import FrameStreamingSystem

/// The thread that listens to the receivers of a sender: one for all of them, which is woken once for what several of them said.
///
/// Connections that cannot be watched have a thread of their own.
final class SharedListener: Sendable {
    /// A class, for it is looked up for every acknowledgement.
    fileprivate final class Place: Sendable {
        let outlet: SenderOutlet
        let live: SenderOutlet.Live
        let transport: any WatchedTransport
        let descriptor: Descriptor
        let clock: PeerClock

        init(
            _ outlet: SenderOutlet, _ live: SenderOutlet.Live, _ transport: any WatchedTransport,
            _ descriptor: Descriptor
        ) {
            self.outlet = outlet
            self.live = live
            self.transport = transport
            self.descriptor = descriptor
            clock = PeerClock(transport)
        }
    }

    fileprivate struct State {
        /// Places that are free are used again: a tag is an index.
        var places: [Place?] = []
        /// What each waits for beside input.
        var needs: [WatchedNeeds] = []
        var free: [Int] = []
        /// What is being listened to right now: the thread is in it, without the lock.
        var current: Int?
        var isRunning = false
        /// Those that look at the time when it has come.
        var reminders: [(due: MonotonicTime, outlet: SenderOutlet)] = []
        /// Somebody sends to many at once.
        var bursts = 0

        /// Whether there is nobody to listen to, nor to wait for.
        var hasNothing: Bool { free.count == places.count && reminders.isEmpty }
    }

    /// Made with the first connection.
    private struct Tools {
        let queue: ReadinessQueue
        let wakeUp: WakeUp
    }

    private let state = Monitor(State())
    private let tools = Monitor<Tools?>(nil)
    private static let wakeUpTag = UInt64.max

    /// Listens to a connection from now on, and calls `SenderOutlet.stoppedListening` when it has ended; false where that cannot be, and
    /// it needs a thread of its own.
    func add(_ outlet: SenderOutlet, _ live: SenderOutlet.Live) -> Bool {
        guard let watched = live.transport as? any WatchedTransport, let descriptor = watched.watched,
            let tools = try? madeTools()
        else { return false }
        let place = Place(outlet, live, watched, descriptor)
        // At first what was read together with the handshake, which makes nothing readable.
        let needs = WatchedNeeds(lookBy: MonotonicTime(nanoseconds: .min), wantsOutput: false)
        do throws(SystemError) {
            try state.withLock { (state) throws(SystemError) in
                let index = state.free.last ?? state.places.count
                try tools.queue.add(descriptor, tag: UInt64(index))
                do throws(SystemError) {
                    try start(tools, &state)
                } catch {
                    try tools.queue.remove(descriptor)
                    throw error
                }
                if state.free.popLast() == nil {
                    state.places.append(place)
                    state.needs.append(needs)
                } else {
                    state.places[index] = place
                    state.needs[index] = needs
                }
                live.place.withLock { $0 = index }
            }
        } catch {
            return false
        }
        tools.wakeUp.signal()
        return true
    }

    /// The one thread, where it does not run. Needs the lock.
    private func start(_ tools: Tools, _ state: inout State) throws(SystemError) {
        if state.isRunning { return }
        _ = try SystemThread(name: "frame-acks") { self.run(tools) }
        state.isRunning = true
    }

    /// No longer listens to a connection, and returns it when nobody is in it any more: for one who listens himself from now on. Nil: it
    /// is not listened to here.
    func remove(_ outlet: SenderOutlet) -> SenderOutlet.Live? {
        guard let tools = tools.withLock({ $0 }) else { return nil }
        let removed: SenderOutlet.Live?? = state.wait(until: nil) { state in
            guard let index = state.places.firstIndex(where: { $0?.outlet === outlet }) else { return .some(nil) }
            guard state.current != index else { return nil }
            let live = state.places[index]?.live
            state.forget(index, tools.queue)
            return .some(live)
        }
        // With the last one the thread ends.
        tools.wakeUp.signal()
        return removed ?? nil
    }

    /// Calls `SenderOutlet.takeRoom` when there is room in this connection; false where it is not listened to here.
    func wantOutput(_ live: SenderOutlet.Live) -> Bool {
        guard let tools = tools.withLock({ $0 }) else { return false }
        return state.withLock { state in
            guard let index = live.place.withLock({ $0 }), let place = state.places[index], place.live === live else {
                return false
            }
            if !state.needs[index].wantsOutput {
                state.needs[index].wantsOutput = true
                // What is watched already can be changed.
                try? tools.queue.change(place.descriptor, tag: UInt64(index), wantsOutput: true)
            }
            return true
        }
    }

    /// Calls `SenderOutlet.lookAfterReturn` at this time, or later where no thread is left: the next connection brings one.
    func remind(_ outlet: SenderOutlet, at due: MonotonicTime) {
        guard let tools = try? madeTools() else { return }
        state.withLock { state in
            state.reminders.append((due, outlet))
            try? start(tools, &state)
        }
        tools.wakeUp.signal()
    }

    private func madeTools() throws(SystemError) -> Tools {
        try tools.withLock { (tools) throws(SystemError) in
            if let tools { return tools }
            let made = Tools(queue: try ReadinessQueue(), wakeUp: try WakeUp())
            try made.queue.add(made.wakeUp.descriptor, tag: Self.wakeUpTag)
            tools = made
            return made
        }
    }

    // MARK: Bursts

    /// While somebody sends one picture to many, what they answer is left to gather: who is woken for each answer takes the processor
    /// from the sending. `body` must not wait for anything.
    ///
    /// - Parameter count: How many; one alone has nothing to gather.
    func duringBurst(of count: Int, _ body: () -> Void) {
        guard count > 1 else { return body() }
        state.withLock { $0.bursts += 1 }
        body()
        let isOver = state.withLock { state in
            state.bursts -= 1
            return state.bursts == 0
        }
        if isOver { state.wakeAll() }
    }

    // MARK: The thread

    private func run(_ tools: Tools) {
        var tags = [UInt64](repeating: 0, count: ReadinessQueue.mostAtOnce)
        var messages: [Message] = []
        var lookBy: MonotonicTime?
        while true {
            let count = ready(tools.queue, &tags, until: lookBy)
            let goesOn: Bool? = state.wait(until: nil) { state in
                guard state.bursts == 0 else { return nil }
                if state.hasNothing { state.isRunning = false }
                return state.isRunning
            }
            guard goesOn == true else { return }
            var looksAtAll = lookBy.map { $0 <= .now } ?? false
            for tag in tags[..<count] {
                if tag == Self.wakeUpTag {
                    tools.wakeUp.clear()
                    looksAtAll = true
                } else if let next = listen(Int(tag), tools.queue, &messages) {
                    lookBy = min(lookBy ?? next, next)
                }
            }
            if looksAtAll { lookBy = lookAfterAll(tools.queue, &messages) }
            // The last reminder was for one that has ended: nobody wakes the thread for that.
            if lookBy == nil, state.withLock({ $0.hasNothing }) { tools.wakeUp.signal() }
        }
    }

    private func ready(_ queue: ReadinessQueue, _ tags: inout [UInt64], until deadline: MonotonicTime?) -> Int {
        do throws(SystemError) {
            return try queue.wait(&tags, until: deadline?.nanoseconds)
        } catch {
            // epoll_wait(2) has errors for wrong arguments only, and to go on would be to turn in a circle.
            preconditionFailure("\(error)")
        }
    }

    /// Looks after those whose time has come; when the next one's comes.
    private func lookAfterAll(_ queue: ReadinessQueue, _ messages: inout [Message]) -> MonotonicTime? {
        let now = MonotonicTime.now
        let needs = state.withLock { $0.needs }
        var next: MonotonicTime?
        for (index, needs) in needs.enumerated() {
            guard let lookBy = needs.lookBy else { continue }
            guard let later = lookBy > now ? lookBy : listen(index, queue, &messages) else { continue }
            next = min(next ?? later, later)
        }
        return [next, remindOfTime(now)].compactMap { $0 }.min()
    }

    /// Calls those whose time has come; when the next one's comes.
    private func remindOfTime(_ now: MonotonicTime) -> MonotonicTime? {
        let due = state.withLock { state in
            defer { state.reminders.removeAll { $0.due <= now } }
            return state.reminders.filter { $0.due <= now }.map(\.outlet)
        }
        for outlet in due {
            guard let later = outlet.lookAfterReturn() else { continue }
            state.withLock { $0.reminders.append((later, outlet)) }
        }
        return state.withLock { $0.reminders.map(\.due).min() }
    }

    /// Takes what has come at one place; when it must be looked after again.
    private func listen(_ index: Int, _ queue: ReadinessQueue, _ messages: inout [Message]) -> MonotonicTime? {
        let place = state.withLock { state in
            // Nil: taken out since it was ready.
            let place = state.places[index]
            if place != nil { state.current = index }
            return place
        }
        guard let place else { return nil }
        let needs = place.outlet.takeArrived(from: place.transport, place.live, place.clock, &messages)
        state.update { state in
            state.current = nil
            guard var needs else { return state.forget(index, queue) }
            // Looked up here, where whoever finds no room meanwhile has to wait.
            if place.outlet.isBlocked(place.live) { needs.wantsOutput = true }
            if needs.wantsOutput != state.needs[index].wantsOutput {
                // What is watched already can be changed.
                try? queue.change(place.descriptor, tag: UInt64(index), wantsOutput: needs.wantsOutput)
            }
            state.needs[index] = needs
        }
        if needs == nil { place.outlet.stoppedListening() }
        return needs?.lookBy
    }
}

extension SharedListener.State {
    fileprivate mutating func forget(_ index: Int, _ queue: ReadinessQueue) {
        // It was added, and its descriptor is open: held here.
        if let place = places[index] { try? queue.remove(place.descriptor) }
        places[index]?.live.place.withLock { $0 = nil }
        places[index] = nil
        needs[index] = WatchedNeeds(lookBy: nil, wantsOutput: false)
        free.append(index)
    }
}
