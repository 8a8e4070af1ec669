import CLinux
import CV4L2
import FrameStreamingSystem
import FrameStreamingTesting
import Glibc

@testable import FrameStreamingCamera
@testable import FrameStreamingCore

/// Scripted drivers: nodes that answer ioctls from a script, with real shared memory as buffers.
///
/// A wait without a frame moves the scripted clock to the deadline, so that no test waits.
final class FakeVideo: VideoCalls {
    struct State {
        var nodes: [String: FakeNode] = [:]
        var open: [CInt: String] = [:]
        var links: [String: String] = [:]
        /// The closed descriptors, in order.
        var closed: [CInt] = []
        var nextDescriptor: CInt = 10_000
        var openFailures: [CInt] = []
        var converter: FakeConverter?
        var adopted = 0
        /// The number of polls without a result.
        var vainPolls = 0
    }

    let clock = ScriptedClock()
    let state = Monitor(State())

    init(_ node: FakeNode = FakeNode(), at path: String = "/dev/video0") {
        state.withLock { $0.nodes[path] = node }
    }

    /// Reads or changes a node.
    func node<Result>(_ path: String = "/dev/video0", _ body: (inout FakeNode) -> Result) -> Result {
        state.withLock { state in
            var node = state.nodes[path] ?? FakeNode()
            defer { state.nodes[path] = node }
            return body(&node)
        }
    }

    func deliver(_ deliveries: FakeNode.Delivery..., to path: String = "/dev/video0") {
        node(path) { $0.inbox += deliveries }
    }

    /// Returns how often an ioctl was made on a node.
    func count(_ request: UInt, _ path: String = "/dev/video0") -> Int {
        node(path) { $0.log.count { $0 == request } }
    }

    func camera(
        _ path: String = "/dev/video0", _ change: (inout V4L2CameraOptions) -> Void = { _ in }
    ) throws -> V4L2Camera {
        var options = V4L2CameraOptions()
        change(&options)
        return try V4L2Camera(path: path, options: options, clock: clock, calls: self)
    }

    // MARK: VideoCalls

    func open(_ path: String) throws(SystemError) -> CInt {
        try state.withLock { state throws(SystemError) in
            if !state.openFailures.isEmpty { throw SystemError("open", code: state.openFailures.removeFirst()) }
            let node = state.links[path] ?? path
            guard let found = state.nodes[node], !found.isGone else { throw SystemError("open", code: ENOENT) }
            if let code = found.openError { throw SystemError("open", code: code) }
            state.nextDescriptor += 1
            state.open[state.nextDescriptor] = node
            return state.nextDescriptor
        }
    }

    func adopt(_ descriptor: CInt) { state.withLock { $0.adopted += 1 } }

    func close(_ descriptor: CInt) {
        state.withLock { state in
            state.closed.append(descriptor)
            if let path = state.open.removeValue(forKey: descriptor) {
                state.nodes[path]?.streaming = false
                state.nodes[path]?.queued = []
            }
        }
    }

    @unsafe func ioctl(_ descriptor: CInt, _ request: UInt, _ argument: UnsafeMutableRawPointer) -> CInt {
        state.withLock { state in
            guard let path = state.open[descriptor], var node = state.nodes[path] else { return EBADF }
            defer { state.nodes[path] = node }
            return unsafe node.answer(request, argument)
        }
    }

    @unsafe func map(
        _ descriptor: CInt, length: Int, offset: Int
    ) throws(SystemError) -> UnsafeMutableRawPointer {
        let memory = state.withLock { state in state.open[descriptor].flatMap { state.nodes[$0]?.memory } }
        guard let memory else { throw SystemError("mmap", code: EINVAL) }
        let start = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, memory.raw, offset)
        guard let start = unsafe start, unsafe start != MAP_FAILED else { throw SystemError("mmap", code: errno) }
        return unsafe start
    }

    func poll(
        _ descriptor: CInt, for events: Int16, until deadline: Int64?, wakeUp: WakeUp?
    ) throws(SystemError) -> Readiness {
        if let wakeUp, case .ready = try wait(for: PollEvents.input, on: wakeUp.descriptor.raw, until: 0, wakeUp: nil) {
            return .woken
        }
        let result: Readiness? = state.withLock { state in
            guard let path = state.open[descriptor], var node = state.nodes[path] else {
                return .ready(PollEvents.invalid)
            }
            defer { state.nodes[path] = node }
            if !node.polls.isEmpty { return .ready(node.polls.removeFirst()) }
            if node.isGone { return .ready(PollEvents.error | PollEvents.hangUp) }
            if node.sourceChanges > 0 { return .ready(PollEvents.priority) }
            if node.streaming, node.queued.isEmpty { return .ready(PollEvents.error) }
            if node.streaming, !node.inbox.isEmpty { return .ready(PollEvents.input) }
            state.vainPolls += 1
            return nil
        }
        if let result { return result }
        clock.sleep(until: MonotonicTime(nanoseconds: deadline ?? clock.now.nanoseconds + 1_000_000_000))
        return .timedOut
    }

    func makeConverter(_ descriptor: CInt) -> (any FrameConverter)? { state.withLock(\.converter) }

    func nodePaths() -> [String] {
        state.withLock { $0.nodes.filter { !$0.value.isGone }.keys.sorted() }
    }

    func nodeIndex(_ path: String) -> Int? { state.withLock { $0.nodes[path]?.index } }

    func stablePaths() -> [(link: String, node: String)] {
        state.withLock { state in state.links.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }

    func resolve(_ path: String) -> String { state.withLock { $0.links[path] ?? path } }
}

/// A converter that fills the image with the first byte plus one, so that its use can be seen.
final class FakeConverter: FrameConverter {
    let native: UInt32
    let fails = Monitor(false)

    init(_ native: UInt32) { self.native = native }

    func source(for fourcc: UInt32, width: Int, height: Int) -> (source: UInt32, width: Int, height: Int)? {
        (native, width, height)
    }

    func prepare(from source: NodeFormat, to fourcc: UInt32) throws(SystemError) -> Int {
        source.width * source.height * 3 / 2
    }

    @unsafe func convert(
        _ source: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int {
        if fails.withLock(\.self) { throw SystemError("v4lconvert_convert", code: EPIPE) }
        let value = unsafe source[0]
        for index in 0..<target.count { unsafe target[index] = value &+ 1 }
        return target.count
    }
}
