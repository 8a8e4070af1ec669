internal import FrameStreamingSystem

/// What the thread in `run` does: it takes pictures from the source, offers them to each connection, and sees them to their end.
extension FrameSender {
    /// How long a wait lasts at most before a stop or cancel is looked for.
    private static var slice: Duration { .milliseconds(50) }

    private var isEnding: Bool { control.withLock { $0.isStopping || $0.isCancelled } }

    /// Those that are there, waiting for one where there is none and one may come. Nil: it is over.
    ///
    /// - Parameter isFirst: Nothing was taken from the source yet: that begins when the first receiver is connected.
    private func receivers(isFirst: Bool, waits: Bool) -> Receivers? {
        let found: Receivers?? = control.wait(until: nil) { control in
            if control.isStopping || control.isCancelled { return .some(nil) }
            let open = control.outlets.filter { $0.isOpen }
            if !open.isEmpty {
                if isFirst, !open.contains(where: { $0.hasConnected }) { return .none }
                return .some(Receivers(outlets: open, version: control.version))
            }
            guard options.waitsForReceivers else { return .some(nil) }
            return waits ? .none : .some(Receivers(outlets: [], version: control.version))
        }
        return found ?? nil
    }

    func pull(_ source: inout some FrameSource) throws(FrameStreamingError) {
        var current: Receivers?
        while !isEnding {
            // Looked up when something has changed, and not for every picture.
            if current == nil || current?.version != control.withLock({ $0.version }) {
                // A file waits for those who are to see it. A camera does not: its driver would go on with old pictures in its buffers.
                guard let next = receivers(isFirst: current == nil, waits: current == nil || !source.isLive) else {
                    if current != nil { try countNext(of: &source) }
                    return
                }
                current = next
            }
            let outlets = current?.outlets ?? []
            let event: SourceEvent?
            do throws(FrameStreamingError) {
                event = try source.next(until: .after(Self.slice))
            } catch {
                if error.code == .timedOut { continue }
                throw error
            }
            switch event {
            case .frame(let frame): offer(Picture(frame, offered: .now), to: outlets)
            case .lost(let reason): for outlet in outlets { outlet.notify(.sourceLost(reason.description)) }
            case .restored: for outlet in outlets { outlet.notify(.sourceRestored) }
            case nil: return
            }
        }
    }

    /// The receivers have left. Whether the source has another picture tells whether they had everything: it is counted as dropped where
    /// every picture was to arrive.
    private func countNext(of source: inout some FrameSource) throws(FrameStreamingError) {
        let missing = control.withLock { $0.outlets }.filter(\.isReliable)
        let limit = Deadline.after(.seconds(1))
        while !missing.isEmpty, !isEnding, !limit.hasPassed {
            do throws(FrameStreamingError) {
                switch try source.next(until: .after(Self.slice)) {
                case .frame:
                    for outlet in missing { outlet.abandon() }
                    return
                case .lost, .restored: continue
                case nil: return
                }
            } catch {
                if error.code != .timedOut { throw error }
            }
        }
    }

    /// Each connection takes the picture; the slowest reliable one is waited for, when the others have it.
    private func offer(_ picture: Picture, to outlets: [SenderOutlet]) {
        // None of these waits.
        listener.duringBurst(of: outlets.count) {
            for outlet in outlets where !outlet.isReliable { _ = outlet.offer(picture, until: .never) }
        }
        // Since when this picture waits, for whomever: those that stand still together are given up together.
        var start: MonotonicTime?
        for outlet in outlets where outlet.isReliable {
            var watch: StallWatch?
            while !outlet.offer(picture, until: .after(Self.slice)) {
                if isEnding {
                    // Taken from the source and never to be sent: it is counted where the connection's end counts its kind.
                    outlet.abandon()
                    break
                }
                let since = start ?? .now
                start = since
                var current = watch ?? outlet.watch(since: since, patience: outlet.stallPatience)
                let hopeless = outlet.look(with: &current, mayPause: true, remedy: outlet.stallRemedy)
                watch = current
                // Counted by the next offer, as what comes after an end.
                if let hopeless { giveUp(outlet, hopeless) }
            }
        }
    }

    /// Without waiting for the goodbye: the others wait for this picture.
    private func giveUp(_ outlet: SenderOutlet, _ reason: FrameStreamingError) {
        guard let sayGoodbye = outlet.giveUp(reason) else { return }
        let deadline = Deadline.after(options.finishTimeout)
        do throws(SystemError) {
            _ = try SystemThread(name: "frame-goodbye") { sayGoodbye(deadline) }
        } catch {
            sayGoodbye(.now)
        }
    }

    func end(_ failure: FrameStreamingError?) {
        let (isStopped, outlets) = control.update { control in
            control.hasEnded = true
            return (control.isStopping, control.outlets)
        }
        let goodbye: Goodbye =
            failure.map { .failed("source failed: \($0)") }
            ?? (isStopped ? .stopped("sender stopped") : .complete("end of stream"))
        // Side by side: who is slow, or no longer there, keeps nobody else from the goodbye.
        let threads = outlets.dropFirst().map { outlet in
            try? SystemThread(name: "frame-goodbye") { self.end(outlet, goodbye, isStopped: isStopped) }
        }
        if let first = outlets.first { end(first, goodbye, isStopped: isStopped) }
        for (outlet, thread) in zip(outlets.dropFirst(), threads) {
            if let thread { thread.join() } else { end(outlet, goodbye, isStopped: isStopped) }
        }
        encoders.stop()
    }

    private func end(_ outlet: SenderOutlet, _ goodbye: Goodbye, isStopped: Bool) {
        if let hopeless = drain(outlet) { outlet.giveUp(hopeless)?(goodbyeLimit) }
        if !control.withLock({ $0.isCancelled }) {
            outlet.finish(goodbye, isStopped: isStopped, until: goodbyeLimit)
        }
        outlet.join()
    }

    /// Until when a goodbye that begins now may take.
    private var goodbyeLimit: Deadline {
        let limit = Deadline.after(options.finishTimeout)
        return control.withLock { $0.stopped }.map { limit.earlier(.at($0.advanced(by: options.stopPatience))) }
            ?? limit
    }

    /// Waits for what is under way, in slices, so that a stop shortens the wait and a cancel ends it. Returns why it was in vain, where it is
    /// a failure: under `reliable` every picture was to arrive.
    private func drain(_ outlet: SenderOutlet) -> FrameStreamingError? {
        // Who is not there gets no more of a live stream.
        if !outlet.isReliable, !outlet.isConnected { return nil }
        var watch = outlet.watch(since: .now, patience: outlet.drainPatience)
        while !control.withLock({ $0.isCancelled }) {
            if let stopped = control.withLock({ $0.stopped }) {
                // Nobody is there to have anything yet.
                if !outlet.isConnected { return nil }
                if Deadline.at(stopped.advanced(by: options.stopPatience * 2 / 3)).hasPassed { return nil }
            }
            if outlet.drain(until: .after(Self.slice)) { return nil }
            if let hopeless = outlet.look(with: &watch, mayPause: false, remedy: "SenderOptions.drainTimeout") {
                return outlet.isReliable ? hopeless : nil
            }
        }
        return nil
    }
}
