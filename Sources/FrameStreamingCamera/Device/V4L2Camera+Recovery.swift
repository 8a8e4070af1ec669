internal import FrameStreamingCore
internal import FrameStreamingSystem

/// The recovery of a camera that stalls, fails or is unplugged.
extension V4L2Camera {
    private static let healthyAfter = Duration.seconds(5)
    /// Waits for a lost camera are this short, so that `close()` can end them.
    private static let slice = Duration.milliseconds(50)

    /// Waits once for the camera. Returns nil if the caller should call again.
    func waitForFrame(_ capture: inout Capture, until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
        let limit = stallTime(capture)
        let stalledAt = capture.progressAt.advanced(by: limit)
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
                return try failed(CameraErrors.stalled(path, limit), isGone: false, &capture)
            }
            if let end = deadline.time, now >= end { throw .timedOut("a picture of \(path)") }
            return nil
        }
    }

    private func stallTime(_ capture: Capture) -> Duration {
        let interval = capture.stream?.granted.rate.map { $0.nanoseconds(ofFrame: 1) } ?? 0
        let limit = max(options.stallTimeout, .nanoseconds(interval) * 8)
        return capture.hasFrame ? limit : limit * 3
    }

    private func delivered(_ frame: Frame, _ capture: inout Capture) -> SourceEvent {
        let now = clock.now
        capture.progressAt = now
        capture.hasFrame = true
        capture.hasRestarted = false
        if now.since(capture.openedAt) >= Self.healthyAfter { capture.backOff.reset() }
        guard capture.isLost else { return .frame(frame) }
        capture.isLost = false
        capture.pending = .frame(frame)
        let granted = granted
        options.onEvent?(CameraEvent(.restored, "\(path): the camera is back, \(granted)", granted: granted))
        return .restored
    }

    /// Restarts streaming once. If that fails, the camera counts as lost.
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
                    CameraEvent(.restarted, "\(path): streaming was started again: \(error.message)", error: error))
                return nil
            } catch {
                // The camera is opened again next.
            }
        }
        return try markLost(error, &capture)
    }

    private func markLost(_ error: FrameStreamingError, _ capture: inout Capture) throws(FrameStreamingError)
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
            scheduleRetry(.stillLost, error, &capture)
            return nil
        }
        capture.isLost = true
        scheduleRetry(.lost, error, &capture)
        return .lost(error: error)
    }

    /// Handles a change of the input's signal: the camera is opened again with the new format. It
    /// counts as lost only if that fails.
    private func signalChanged(_ capture: inout Capture) throws(FrameStreamingError) -> SourceEvent? {
        guard let stream = capture.stream else { return nil }
        if let agreed = stream.signal {
            do throws(SystemError) {
                if try stream.node.signal().matches(agreed) { return nil }
            } catch {
                return try markLost(CameraErrors.streaming(error, path), &capture)
            }
        }
        stream.retire()
        capture.stream = nil
        do throws(FrameStreamingError) {
            try reopen(&capture)
            return nil
        } catch {
            return try markLost(error, &capture)
        }
    }

    /// Waits until the next attempt is due and tries to open the camera once. Returns nil if the
    /// caller should call again.
    func retryOpening(_ capture: inout Capture, until deadline: Deadline) throws(FrameStreamingError) -> SourceEvent? {
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
            scheduleRetry(.stillLost, error, &capture)
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
        (capture.hasFrame, capture.hasRestarted) = (false, false)
        shared.withLock { shared in
            shared.granted = stream.granted
            shared.ring = stream.ring
        }
        options.onEvent?(
            CameraEvent(
                .opened, "\(node.path): \(identity.card), \(stream.granted)", granted: stream.granted))
    }

    /// Finds the camera by its path, else by bus address and name among all nodes, because a
    /// replugged camera may have another number.
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
                // Failures of other nodes do not matter.
                if candidate == path { reason = CameraErrors.opening(error, path) }
            }
        }
        throw reason
            ?? FrameStreamingError(
                .notFound, "another camera has this path now: plug \(identity.card) (\(identity.busInfo)) in again",
                subject: path)
    }

    private func scheduleRetry(_ kind: CameraEvent.Kind, _ error: FrameStreamingError, _ capture: inout Capture) {
        let pause = capture.backOff.next()
        capture.retryAt = clock.now.advanced(by: pause)
        options.onEvent?(CameraEvent(kind, "\(error)", error: error, retryAfter: pause))
    }
}
