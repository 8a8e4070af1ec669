internal import FrameStreamingSystem

/// The one thread that reads the messages of all receivers of a sender. It wakes once for
/// the messages of several receivers.
///
/// Connections that cannot be polled have a thread of their own.
final class AcknowledgementPoller: Sendable {
    /// A class, because it is looked up for every acknowledgement.
    fileprivate final class Place: Sendable {
        let link: ReceiverLink
        let connection: LinkConnection
        let transport: any WatchedTransport
        let descriptor: Descriptor

        init(
            _ link: ReceiverLink, _ connection: LinkConnection, _ transport: any WatchedTransport,
            _ descriptor: Descriptor
        ) {
            self.link = link
            self.connection = connection
            self.transport = transport
            self.descriptor = descriptor
        }
    }

    fileprivate struct State {
        /// The places by their tags. A free place is used again.
        var places: [Place?] = []
        /// What each waits for in addition to input.
        var needs: [WatchedNeeds] = []
        var free: [Int] = []
        /// The place that the thread reads at the moment, without the lock.
        var current: Int?
        var isRunning = false
        /// Links that must be called at a certain time.
        var reminders: [(due: MonotonicTime, link: ReceiverLink)] = []
        /// How many threads send to many receivers at once.
        var bursts = 0

        /// Whether there is neither a connection to read nor a time to wait for.
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

    /// Reads a connection from now on, and calls ``ReceiverLink/noteReaderEnded()`` when it is
    /// over. Returns false if it cannot be polled and needs a thread of its own.
    func add(_ link: ReceiverLink, _ connection: LinkConnection) -> Bool {
        guard let watched = connection.transport as? any WatchedTransport, let descriptor = watched.watched,
            let tools = try? madeTools()
        else { return false }
        let place = Place(link, connection, watched, descriptor)
        // At first it must take the bytes that were read together with the handshake, which
        // do not make the socket readable.
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
                connection.place.withLock { $0 = index }
            }
        } catch {
            return false
        }
        tools.wakeUp.signal()
        return true
    }

    /// Starts the thread unless it runs. Needs the lock.
    private func start(_ tools: Tools, _ state: inout State) throws(SystemError) {
        if state.isRunning { return }
        _ = try SystemThread(name: "fs-acks") { self.run(tools) }
        state.isRunning = true
    }

    /// Calls ``ReceiverLink/look()`` at this time. Without a thread for that it is called later,
    /// when the next connection or reminder starts one.
    func remind(_ link: ReceiverLink, at due: MonotonicTime) {
        guard let tools = try? madeTools() else { return }
        state.withLock { state in
            state.reminders.append((due, link))
            try? start(tools, &state)
        }
        tools.wakeUp.signal()
    }

    /// No longer reads a connection, and returns when the thread is not in it any more: for a
    /// connection that switches to its own reading thread. Returns false if it is not read here.
    func remove(_ connection: LinkConnection) -> Bool {
        guard let tools = tools.withLock({ $0 }) else { return false }
        let removed: Bool? = state.wait(until: nil) { state in
            guard let index = connection.place.withLock({ $0 }) else { return false }
            guard state.current != index else { return nil }
            state.forget(index, tools.queue)
            return true
        }
        // With the last one the thread ends.
        tools.wakeUp.signal()
        return removed == true
    }

    /// Calls ``ReceiverLink/useRoom(_:)`` when there is room in a connection, and at `limit`.
    /// Returns false if the connection is not polled.
    func awaitRoom(_ connection: LinkConnection, until limit: MonotonicTime) -> Bool {
        guard let tools = tools.withLock({ $0 }) else { return false }
        let isPolled = state.withLock { state in
            guard let index = connection.place.withLock({ $0 }), let place = state.places[index] else { return false }
            if !state.needs[index].wantsOutput {
                state.needs[index].wantsOutput = true
                // This cannot fail for a descriptor that is polled already.
                try? tools.queue.change(place.descriptor, tag: UInt64(index), wantsOutput: true)
            }
            state.needs[index].lookBy = min(state.needs[index].lookBy ?? limit, limit)
            return true
        }
        // It may have to look earlier than planned.
        if isPolled { tools.wakeUp.signal() }
        return isPolled
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

    /// Lets answers gather while `body` sends one picture to many receivers: a thread that wakes
    /// for each answer takes the processor from the sending. `body` must not wait for anything.
    ///
    /// - Parameter count: The number of receivers. A single one has nothing to gather.
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
            // After the last reminder nothing else wakes the thread.
            if lookBy == nil, state.withLock({ $0.hasNothing }) { tools.wakeUp.signal() }
        }
    }

    private func ready(_ queue: ReadinessQueue, _ tags: inout [UInt64], until deadline: MonotonicTime?) -> Int {
        do throws(SystemError) {
            return try queue.wait(&tags, until: deadline?.nanoseconds)
        } catch {
            // epoll_wait(2) fails only for wrong arguments, and repeating it would spin.
            preconditionFailure("\(error)")
        }
    }

    /// Takes the places whose time has come. Returns when the next one is due.
    private func lookAfterAll(_ queue: ReadinessQueue, _ messages: inout [Message]) -> MonotonicTime? {
        let now = MonotonicTime.now
        let needs = state.withLock { $0.needs }
        var next: MonotonicTime?
        for (index, needs) in needs.enumerated() {
            guard let lookBy = needs.lookBy else { continue }
            guard let later = lookBy > now ? lookBy : listen(index, queue, &messages) else { continue }
            next = min(next ?? later, later)
        }
        return [next, remindDue(now)].compactMap(\.self).min()
    }

    /// Calls the links whose time has come. Returns when the next one is due.
    private func remindDue(_ now: MonotonicTime) -> MonotonicTime? {
        let due = state.withLock { state in
            defer { state.reminders.removeAll { $0.due <= now } }
            return state.reminders.filter { $0.due <= now }.map(\.link)
        }
        for link in due { link.look() }
        return state.withLock { $0.reminders.map(\.due).min() }
    }

    /// Takes the messages of one place. Returns when it must be looked at again.
    private func listen(_ index: Int, _ queue: ReadinessQueue, _ messages: inout [Message]) -> MonotonicTime? {
        let (found, mayBeBlocked) = state.withLock { state in
            // Nil if it was removed since it was ready.
            let place = state.places[index]
            if place != nil {
                state.current = index
                // Cleared before the read, so that a time that is set during the read is kept.
                state.needs[index].lookBy = nil
            }
            return (place, state.needs[index].wantsOutput)
        }
        guard let place = found else { return nil }
        let needs = place.connection.takeArrived(from: place.transport, &messages) { place.link.handle($0) }
        var lookBy = needs?.lookBy
        if mayBeBlocked, let limit = place.link.useRoom(place.connection) { lookBy = min(lookBy ?? limit, limit) }
        state.update { state in
            state.current = nil
            guard var needs else { return state.forget(index, queue) }
            needs.lookBy = lookBy
            // Checked under the lock, so that a thread that finds no room meanwhile is not missed.
            if state.needs[index].wantsOutput, place.link.isBlocked(place.connection) {
                needs.wantsOutput = true
                lookBy = [lookBy, state.needs[index].lookBy].compactMap(\.self).min()
                needs.lookBy = lookBy
            }
            if needs.wantsOutput != state.needs[index].wantsOutput {
                // This cannot fail for a descriptor that is polled already.
                try? queue.change(place.descriptor, tag: UInt64(index), wantsOutput: needs.wantsOutput)
            }
            state.needs[index] = needs
        }
        if needs == nil { place.link.noteReaderEnded() }
        return lookBy
    }
}

extension AcknowledgementPoller.State {
    fileprivate mutating func forget(_ index: Int, _ queue: ReadinessQueue) {
        // This cannot fail: the descriptor was added, and is held open here.
        if let place = places[index] { try? queue.remove(place.descriptor) }
        places[index]?.connection.place.withLock { $0 = nil }
        places[index] = nil
        needs[index] = WatchedNeeds(lookBy: nil, wantsOutput: false)
        free.append(index)
    }
}
