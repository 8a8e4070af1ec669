internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Keeps TurboJPEG handles for reuse, because creating one costs 4 % of a frame.
///
/// One thread at a time may use a handle. The pool grows to the largest number that were ever in
/// use at once.
final class HandlePool<Handle: AnyObject & Sendable>: Sendable {
    private struct State {
        var idle: [Handle] = []
        var made = 0
    }
    private let state = Monitor(State())
    private let make: @Sendable () throws(FrameStreamingError) -> Handle

    init(_ make: @escaping @Sendable () throws(FrameStreamingError) -> Handle) { self.make = make }

    /// Returns a handle for the caller's exclusive use until ``giveBack(_:)``.
    func checkOut() throws(FrameStreamingError) -> Handle {
        if let handle = state.withLock({ $0.idle.popLast() }) { return handle }
        let handle = try make()
        state.withLock { $0.made += 1 }
        return handle
    }

    /// Takes a handle back. A handle is usable again even after a fatal error.
    func giveBack(_ handle: Handle) {
        state.withLock { $0.idle.append(handle) }
    }

    /// The number of handles that were created so far.
    var made: Int { state.withLock { $0.made } }
    /// Adds a value up over the idle handles.
    func sumOfIdle(_ value: (Handle) -> Int) -> Int {
        state.withLock { state in state.idle.reduce(0) { $0 + value($1) } }
    }
}
