internal import FrameStreamingCore
internal import FrameStreamingSystem

/// What becomes of a camera that stalls, fails or goes away.
extension V4L2Camera {
    private static let healthyAfter = Duration.seconds(5)
    /// A wait that `close()` must end is cut into such pieces.
    private static let slice = Duration.milliseconds(50)

    /// One wait for the camera; nil = look again.
    func takePicture(_ capture: inout Capture, until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        let patience = stallPatience(capture)
        let stalledAt = capture.progressAt.advanced(by: patience)
        let step = capture.stream?.step(
            until: deadline.earlier(.at(stalledAt)).time?.nanoseconds, wakeUp: wakeUp, clock: clock, &capture.readers)
        for event in capture.faults.read(capture.readers.statistics, path: path, now: clock.now) {
            options.onEvent?(event)
        }
        switch step {
        case .frame(let frame): return delivered(frame, &capture)
        case .woken, nil: return nil
        case .signalChanged: return try signalChanged(&capture)
        case .failed(let error, let isGone):
            return try failed(CameraErrors.streaming(error, path), isGone: isGone, &capture)
        case .nothing:
            let now = clock.now
            if now >= stalledAt {
                return try failed(CameraErrors.stalled(path, patience), isGone: false, &capture)
            }
            if let end = deadline.time, now >= end { throw .timedOut("a picture of \(path)") }
            return nil
        }
    }

    private func stallPatience(_ capture: Capture) -> Duration {
        let interval = capture.stream?.granted.rate.map { $0.nanoseconds(ofFrame: 1) } ?? 0
        let patience = max(options.stallTimeout, .nanoseconds(interval) * 8)
        return capture.hasPicture ? patience : patience * 3
    }

    private func delivered(_ frame: Frame, _ capture: inout Capture) -> SourceEvent {
        let now = clock.now
        capture.progressAt = now
        capture.hasPicture = true
        capture.hasRestarted = false
        if now.since(capture.openedAt) >= Self.healthyAfter { capture.backOff.reset() }
        guard capture.isLost else { return .frame(frame) }
        capture.isLost = false
        capture.pending = .frame(frame)
        let granted = granted
        options.onEvent?(CameraEvent(.restored, "\(path): the camera is back, \(granted)", granted: granted))
        return .restored
    }

    /// Streaming is started again once; what that does not mend is lost.
    private func failed(
        _ error: FrameStreamingError, isGone: Bool, _ capture: inout Capture
    ) throws(FrameStreamingError) -> SourceEvent? {
        if !isGone, !capture.hasRestarted, let stream = capture.stream {
            capture.hasRestarted = true
            do throws(SystemError) {
                try stream.ring.stop()
                try stream.ring.queueAll()
                try stream.ring.start()
                capture.readers.statistics.restarts += 1
                capture.readers.sequences.restart()
                capture.progressAt = clock.now
                options.onEvent?(
                    CameraEvent(.restarted, "\(path): started again: \(error.message)", error: error))
                return nil
            } catch {
                // A full reopen is next.
            }
        }
        return try lose(error, &capture)
    }

    private func lose(_ error: FrameStreamingError, _ capture: inout Capture) throws(FrameStreamingError)
        -> SourceEvent?
    {
        capture.stream?.retire()
        capture.stream = nil
        shared.withLock { $0.ring = nil }
        guard options.waitsForLostCamera else {
            shared.withLock { $0.isClosed = true }
            throw error
        }
        guard !capture.isLost else {
            lookLater(.stillLost, error, &capture)
            return nil
        }
        capture.isLost = true
        lookLater(.lost, error, &capture)
        return .lost(error)
    }

    /// Another picture format comes in, or nothing. The old one ends here, the new one goes on without a loss that anybody need hear of.
    private func signalChanged(_ capture: inout Capture) throws(FrameStreamingError) -> SourceEvent? {
        guard let stream = capture.stream else { return nil }
        if let agreed = stream.signal {
            do throws(SystemError) {
                if try stream.node.signal().matches(agreed) { return nil }
            } catch {
                return try lose(CameraErrors.streaming(error, path), &capture)
            }
        }
        stream.retire()
        capture.stream = nil
        do throws(FrameStreamingError) {
            try reopen(&capture)
            return nil
        } catch {
            return try lose(error, &capture)
        }
    }

    /// Waits until it is time, and looks for the camera once; nil = look again.
    func lookForCamera(_ capture: inout Capture, until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        let now = clock.now
        if now < capture.retryAt {
            if let end = deadline.time, now >= end { throw .timedOut("the camera \(path) to come back") }
            let until = deadline.earlier(.at(min(capture.retryAt, now.advanced(by: Self.slice)))).time ?? now
            clock.sleep(until: until)
            return nil
        }
        do throws(FrameStreamingError) {
            try reopen(&capture)
        } catch {
            lookLater(.stillLost, error, &capture)
        }
        return nil
    }

    private func reopen(_ capture: inout Capture) throws(FrameStreamingError) {
        let node = try find()
        var current = options
        current.controls = shared.withLock(\.controls)
        let stream = try CameraStream.open(node, current, pool: pool, isFirst: false) { options.onEvent?($0) }
        let now = clock.now
        capture.stream = stream
        capture.readers.statistics.reopens += 1
        capture.readers.sequences.restart()
        (capture.openedAt, capture.progressAt) = (now, now)
        (capture.hasPicture, capture.hasRestarted) = (false, false)
        shared.withLock { shared in
            shared.granted = stream.granted
            shared.ring = stream.ring
        }
        options.onEvent?(
            CameraEvent(
                .opened, "\(node.path): \(identity.card), \(stream.granted)", granted: stream.granted))
    }

    /// By the path that was given, else by bus address and name among all nodes: a replugged camera may have another number.
    private func find() throws(FrameStreamingError) -> VideoNode {
        var reason: FrameStreamingError?
        let asked = calls.resolve(path)
        for candidate in [path] + calls.nodePaths().filter({ $0 != asked && $0 != path }) {
            do throws(SystemError) {
                let node = try VideoNode(candidate, calls)
                let isByID = candidate == path && path.contains("/by-id/")
                if identity.matches(node, index: calls.nodeIndex(calls.resolve(candidate)), isChosenByID: isByID) {
                    return node
                }
                node.close()
            } catch {
                // Of the others' failures nobody needs to hear.
                if candidate == path { reason = CameraErrors.opening(error, path) }
            }
        }
        throw reason
            ?? FrameStreamingError(
                .notFound, "another camera has this path now, and \(identity.card) (\(identity.busInfo)) is not there",
                subject: path)
    }

    private func lookLater(_ kind: CameraEvent.Kind, _ error: FrameStreamingError, _ capture: inout Capture) {
        let pause = capture.backOff.next()
        capture.retryAt = clock.now.advanced(by: pause)
        options.onEvent?(CameraEvent(kind, "\(error)", error: error, retryAfter: pause))
    }
}
