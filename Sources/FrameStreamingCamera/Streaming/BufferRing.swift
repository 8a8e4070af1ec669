internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The driver's buffers of one streaming session: who has each of them, and how it comes back.
///
/// Any thread may give a buffer back, also after ``retire()``: until then it is queued again, afterwards its memory is freed.
///
/// Unsafe code, safe because: a buffer's memory is handed out only while its place is `us` (to the capturing thread, which alone moves
/// it on) or leased to a Frame, and is unmapped only when its place is neither.
final class BufferRing: Sendable {
    enum Place: Hashable {
        /// Queued: the driver fills it.
        case driver
        /// Taken from the driver, or refused by it.
        case us
        /// A Frame leases it.
        case consumer
        /// Unmapped.
        case nobody
    }

    private struct Slot {
        var mappings: [BufferMapping]
        var place = Place.us
    }

    private struct State {
        var node: VideoNode?
        var slots: [Slot] = []
        /// Why the driver last refused a buffer; forgotten when it took one.
        var refusal: SystemError?
    }

    /// What ``dequeue()`` came to.
    enum Dequeued: Hashable {
        case filled(FilledBuffer)
        /// EAGAIN: nothing there yet.
        case nothing
        /// A buffer that we do not have, or that the driver did not have.
        case nonsense
    }

    /// Buffers that the driver granted: fewer or more than were asked for.
    let count: Int
    private let state: Monitor<State>

    /// Asks for `count` buffers and maps what is granted. The ring owns `node` from here: ``retire()`` closes it.
    init(_ node: VideoNode, asking count: Int) throws(SystemError) {
        let granted = try node.requestBuffers(count)
        guard granted > 0 else { throw SystemError("VIDIOC_REQBUFS", code: Errno.outOfMemory) }
        var slots: [Slot] = []
        do throws(SystemError) {
            for index in 0..<granted {
                slots.append(Slot(mappings: []))
                for place in try node.places(ofBuffer: index) { slots[index].mappings.append(try node.map(place)) }
                guard !slots[index].mappings.isEmpty else { throw SystemError("VIDIOC_QUERYBUF", code: Errno.invalid) }
            }
        } catch {
            for slot in slots { for mapping in slot.mappings { mapping.unmap() } }
            _ = try? node.requestBuffers(0)
            throw error
        }
        self.count = granted
        state = Monitor(State(node: node, slots: slots))
    }

    deinit { retire() }

    /// Queues every buffer that is ours. Throws when the driver refuses one.
    func queueAll() throws(SystemError) {
        try state.withLock { state throws(SystemError) in
            for index in state.slots.indices where state.slots[index].place == .us { Self.queue(index, &state) }
            if let refusal = state.refusal { throw refusal }
        }
    }

    func start() throws(SystemError) {
        try state.withLock { state throws(SystemError) in try state.node?.startStreaming() }
    }

    /// VIDIOC_STREAMOFF: what the driver had is ours again; what consumers have stays theirs.
    func stop() throws(SystemError) {
        try state.withLock { state throws(SystemError) in
            try state.node?.stopStreaming()
            for index in state.slots.indices where state.slots[index].place == .driver {
                state.slots[index].place = .us
            }
            state.refusal = nil
        }
    }

    func dequeue() throws(SystemError) -> Dequeued {
        try state.withLock { state throws(SystemError) in
            guard let node = state.node else { return .nothing }
            do throws(SystemError) {
                let filled = try node.dequeue()
                guard state.slots.indices.contains(filled.index), state.slots[filled.index].place == .driver else {
                    return .nonsense
                }
                state.slots[filled.index].place = .us
                return .filled(filled)
            } catch {
                if error.code == Errno.again { return .nothing }
                throw error
            }
        }
    }

    /// Back to the driver, from the capturing thread or from whoever held the Frame.
    func giveBack(_ index: Int) {
        state.withLock { state in
            if state.node == nil {
                state.slots[index].mappings.forEach { $0.unmap() }
                state.slots[index].place = .nobody
            } else {
                state.slots[index].place = .us
                Self.queue(index, &state)
            }
        }
    }

    private static func queue(_ index: Int, _ state: inout State) {
        do throws(SystemError) {
            try state.node?.queue(index, planes: state.slots[index].mappings.count)
            state.slots[index].place = .driver
            state.refusal = nil
        } catch {
            // It stays ours, and the capturing thread tries again.
            state.refusal = error
        }
    }

    /// Where a buffer's plane lies. Valid while the buffer is ours.
    @unsafe func bytes(of index: Int, plane: Int = 0) -> UnsafeMutableRawBufferPointer {
        unsafe state.withLock { state in
            precondition(state.slots[index].place == .us, "buffer \(index) is not ours")
            return unsafe state.slots[index].mappings[plane].bytes
        }
    }

    /// The lengths of a buffer's memory planes.
    func lengths(of index: Int) -> [Int] { state.withLock { $0.slots[index].mappings.map(\.length) } }

    /// Lends `range` of a buffer that is ours to a Frame; nil where the consumer holds all others: the driver would starve.
    func lease(_ index: Int, _ range: Range<Int>) -> FrameBuffer? {
        let memory: UnsafeMutableRawBufferPointer? = unsafe state.withLock { state in
            let others = state.slots.indices.filter { $0 != index && state.slots[$0].place != .consumer }
            guard !others.isEmpty else { return nil }
            state.slots[index].place = .consumer
            return unsafe UnsafeMutableRawBufferPointer(rebasing: state.slots[index].mappings[0].bytes[range])
        }
        guard let memory = unsafe memory else { return nil }
        // Until the release, the place is `consumer`: the bytes stay mapped and the driver does not have them.
        return unsafe FrameBuffer(memory: memory) { self.giveBack(index) }
    }

    /// Calls on the node from any thread; nil after ``retire()``.
    func withNode<Result>(_ body: (VideoNode) -> Result) -> Result? {
        state.withLock { $0.node.map(body) }
    }

    /// How many buffers the driver has.
    var queued: Int { state.withLock { $0.slots.count { $0.place == .driver } } }

    /// How many buffers Frames lease.
    var leased: Int { state.withLock { $0.slots.count { $0.place == .consumer } } }

    /// Ends the session: nothing of it holds the node any more. What is leased keeps its address and its bytes, in memory of
    /// our own. What the driver answers is ignored, as it may be gone.
    func retire() { end(closing: true) }

    /// The same of a session that never began; the node stays open, and its owner's.
    func abandon() { end(closing: false) }

    private func end(closing: Bool) {
        state.withLock { state in
            guard let node = state.node else { return }
            state.node = nil
            _ = try? node.stopStreaming()
            for index in state.slots.indices {
                switch state.slots[index].place {
                case .consumer:
                    for mapping in state.slots[index].mappings { _ = mapping.detach() }
                case .driver, .us:
                    for mapping in state.slots[index].mappings { mapping.unmap() }
                    state.slots[index].place = .nobody
                case .nobody: break
                }
            }
            _ = try? node.requestBuffers(0)
            if closing { node.close() }
        }
    }
}
