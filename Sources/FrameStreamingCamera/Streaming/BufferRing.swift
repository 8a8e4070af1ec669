internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The driver's buffers of one streaming session, with the owner of each.
///
/// Any thread may return a buffer, also after ``retire()``. Before that call the buffer is queued
/// again; afterwards its memory is unmapped.
///
/// Unsafe code, safe because: a buffer's memory is handed out only while the capturing
/// thread holds it (no other thread changes that place) or a Frame leases it. It is
/// unmapped only when neither is the case.
final class BufferRing: Sendable {
    enum Place: Hashable {
        /// The driver: the buffer is queued and is being filled.
        case driver
        /// The capturing thread: the buffer was dequeued, or the driver refused it.
        case capturingThread
        /// A Frame, which leases the buffer.
        case consumer
        /// No owner: the memory is unmapped.
        case unmapped
    }

    private struct Slot {
        var mappings: [BufferMapping]
        var place = Place.capturingThread
    }

    private struct State {
        var node: VideoNode?
        var slots: [Slot] = []
        /// Why the driver last refused a buffer; nil after it accepted one.
        var refusal: SystemError?
    }

    /// The outcome of ``dequeue()``.
    enum Dequeued: Hashable {
        case filled(FilledBuffer)
        /// No buffer is filled yet (EAGAIN).
        case nothing
        /// An index out of range, or of a buffer that was not queued.
        case inconsistent
    }

    /// The number of buffers that the driver granted, which may be fewer or more than requested.
    let count: Int
    private let state: Monitor<State>

    /// Requests `count` buffers and maps those that are granted.
    ///
    /// The ring owns `node` from here on: ``retire()`` closes it.
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

    /// Queues every buffer that the capturing thread holds. Throws if the driver refuses one.
    func queueAll() throws(SystemError) {
        try state.withLock { state throws(SystemError) in
            for index in state.slots.indices where state.slots[index].place == .capturingThread {
                Self.queue(index, &state)
            }
            if let refusal = state.refusal { throw refusal }
        }
    }

    func start() throws(SystemError) {
        try state.withLock { state throws(SystemError) in try state.node?.startStreaming() }
    }

    /// Stops streaming (VIDIOC_STREAMOFF). The driver's buffers return to the capturing thread;
    /// leased ones stay leased.
    func stop() throws(SystemError) {
        try state.withLock { state throws(SystemError) in
            try state.node?.stopStreaming()
            for index in state.slots.indices where state.slots[index].place == .driver {
                state.slots[index].place = .capturingThread
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
                    return .inconsistent
                }
                state.slots[filled.index].place = .capturingThread
                return .filled(filled)
            } catch {
                if error.code == Errno.again { return .nothing }
                throw error
            }
        }
    }

    /// Returns a buffer to the driver. Called by the capturing thread, or by the thread that
    /// releases the last copy of a Frame.
    func giveBack(_ index: Int) {
        state.withLock { state in
            if state.node == nil {
                state.slots[index].mappings.forEach { $0.unmap() }
                state.slots[index].place = .unmapped
            } else {
                state.slots[index].place = .capturingThread
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
            // The capturing thread keeps the buffer and tries again.
            state.refusal = error
        }
    }

    /// The bytes of a buffer's plane. Valid while the capturing thread holds the buffer.
    @unsafe func bytes(of index: Int, plane: Int = 0) -> UnsafeMutableRawBufferPointer {
        unsafe state.withLock { state in
            precondition(
                state.slots[index].place == .capturingThread, "buffer \(index) is not held by the capturing thread")
            return unsafe state.slots[index].mappings[plane].bytes
        }
    }

    /// Returns the lengths of a buffer's memory planes, in bytes.
    func lengths(of index: Int) -> [Int] { state.withLock { $0.slots[index].mappings.map(\.length) } }

    /// Leases `range` of a buffer to a Frame. Returns nil if the consumer holds all other buffers:
    /// the driver must keep one to fill.
    func lease(_ index: Int, _ range: Range<Int>) -> FrameBuffer? {
        let memory: UnsafeMutableRawBufferPointer? = unsafe state.withLock { state in
            let others = state.slots.indices.filter { $0 != index && state.slots[$0].place != .consumer }
            guard !others.isEmpty else { return nil }
            state.slots[index].place = .consumer
            return unsafe UnsafeMutableRawBufferPointer(rebasing: state.slots[index].mappings[0].bytes[range])
        }
        guard let memory = unsafe memory else { return nil }
        // The place is `consumer` until the release: the bytes stay mapped and are not queued.
        return unsafe FrameBuffer(memory: memory) { self.giveBack(index) }
    }

    /// Calls `body` with the node, from any thread. Returns nil after ``retire()``.
    func withNode<Result>(_ body: (VideoNode) -> Result) -> Result? {
        state.withLock { $0.node.map(body) }
    }

    /// The number of queued buffers.
    var queued: Int { state.withLock { $0.slots.count { $0.place == .driver } } }

    /// The number of leased buffers.
    var leased: Int { state.withLock { $0.slots.count { $0.place == .consumer } } }

    /// Ends the session and closes the node. Leased buffers keep their address and their bytes, in
    /// memory of this process. The driver's answers are ignored, because the device may be gone.
    func retire() { end(closing: true) }

    /// Ends a session that never began. The node stays open and belongs to its owner.
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
                case .driver, .capturingThread:
                    for mapping in state.slots[index].mappings { mapping.unmap() }
                    state.slots[index].place = .unmapped
                case .unmapped: break
                }
            }
            _ = try? node.requestBuffers(0)
            if closing { node.close() }
        }
    }
}
