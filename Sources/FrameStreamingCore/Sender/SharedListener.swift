internal import FrameStreamingSystem

/// The thread that listens to the receivers of a sender: one for all of them, which is woken once for what several of them said.
///
/// Connections that cannot be watched have a thread of their own.
final class SharedListener: Sendable {
    /// A class, for it is looked up for every acknowledgement.
    fileprivate final class Place: Sendable {
        let outlet: SenderOutlet
        let transport: any WatchedTransport
        let descriptor: Descriptor
        let clock: PeerClock

        init(_ outlet: SenderOutlet, _ transport: any WatchedTransport, _ descriptor: Descriptor) {
            self.outlet = outlet
            self.transport = transport
            self.descriptor = descriptor
            clock = PeerClock(transport.peer)
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
        /// Somebody sends to many at once.
        var bursts = 0
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
    func add(_ outlet: SenderOutlet, _ transport: any Transport) -> Bool {
        guard let watched = transport as? any WatchedTransport, let descriptor = watched.watched,
            let tools = try? madeTools()
        else { return false }
        let place = Place(outlet, watched, descriptor)
        // At first what was read together with the handshake, which makes nothing readable.
        let needs = WatchedNeeds(lookBy: MonotonicTime(nanoseconds: .min), wantsOutput: false)
        do throws(SystemError) {
            try state.withLock { (state) throws(SystemError) in
                let index = state.free.last ?? state.places.count
                try tools.queue.add(descriptor, tag: UInt64(index))
                if !state.isRunning {
                    do throws(SystemError) {
                        _ = try SystemThread(name: "frame-acks") { self.run(tools) }
                    } catch {
                        try tools.queue.remove(descriptor)
                        throw error
                    }
                    state.isRunning = true
                }
                if state.free.popLast() == nil {
                    state.places.append(place)
                    state.needs.append(needs)
                } else {
                    state.places[index] = place
                    state.needs[index] = needs
                }
            }
        } catch {
            return false
        }
        tools.wakeUp.signal()
        return true
    }

    /// No longer listens to a connection, and returns when nobody is in it any more: for one who listens himself from now on. False: it
    /// is not listened to here.
    func remove(_ outlet: SenderOutlet) -> Bool {
        guard let tools = tools.withLock({ $0 }) else { return false }
        let removed: Bool? = state.wait(until: nil) { state in
            guard let index = state.places.firstIndex(where: { $0?.outlet === outlet }) else { return false }
            guard state.current != index else { return nil }
            state.forget(index, tools.queue)
            return true
        }
        // With the last one the thread ends.
        tools.wakeUp.signal()
        return removed == true
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
                if state.free.count == state.places.count { state.isRunning = false }
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
        return next
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
        let needs = place.outlet.takeArrived(from: place.transport, place.clock, &messages)
        state.update { state in
            state.current = nil
            guard let needs else { return state.forget(index, queue) }
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
        places[index] = nil
        needs[index] = WatchedNeeds(lookBy: nil, wantsOutput: false)
        free.append(index)
    }
}
