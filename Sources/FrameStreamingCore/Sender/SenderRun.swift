internal import FrameStreamingSystem

/// A run of a sender: it takes frames from the source, offers them
/// to each link, and ends the links.
struct SenderRun: Sendable {
    let control: Monitor<SenderControl>
    let encoders: EncoderPool
    let poller: AcknowledgementPoller
    let idle: IdleLinks
    let options: SenderOptions

    /// The longest wait before the run checks for a stop or cancel.
    private static var slice: Duration { .milliseconds(50) }

    private var isEnding: Bool { control.withLock { $0.order.ends } }

    /// Returns the open links. Without any it waits for one, if one may be
    /// added. Returns nil if the run is over.
    ///
    /// - Parameter isFirst: Whether no frame was taken yet. The first is taken when
    ///   the first receiver is connected.
    private func receivers(isFirst: Bool, waits: Bool) -> Receivers? {
        let found: Receivers?? = control.wait(until: nil) { control in
            if control.order.ends { return .some(nil) }
            let open = control.links.filter { $0.isOpen }
            if !open.isEmpty {
                if isFirst, !open.contains(where: { $0.hasConnected }) { return .none }
                return .some(Receivers(links: open, version: control.version))
            }
            guard options.waitsForReceivers else { return .some(nil) }
            return waits ? .none : .some(Receivers(links: [], version: control.version))
        }
        return found ?? nil
    }

    func pull(_ source: inout some FrameSource) throws(FrameStreamingError) {
        var current: Receivers?
        var isFirst = true
        var holdUp = SourceHoldUp()
        while !isEnding {
            // Looked up after a change, and not for every picture.
            if current == nil || current?.version != control.withLock({ $0.version }) {
                // A file waits for receivers. A camera does not, because its driver's
                // buffers would keep old pictures.
                let isFirst = current == nil && !options.isRelay
                guard let next = receivers(isFirst: isFirst, waits: isFirst || !source.isLive) else {
                    if current != nil { try countNext(of: &source) }
                    return
                }
                current = next
            }
            let event: SourceEvent?
            do throws(FrameStreamingError) {
                let asked = MonotonicTime.now
                defer { holdUp.waitedForSource(asked.duration(to: .now)) }
                event = try source.next(until: .after(Self.slice))
            } catch {
                if error.code == .timedOut { continue }
                throw error
            }
            switch event {
            case .frame(let frame):
                if isFirst, source.isLive { followLiveSource(&current) }
                isFirst = false
                // A source that has waited for a receiver has a frame for it.
                if options.isRelay, current?.version != control.withLock({ $0.version }) {
                    current = receivers(isFirst: false, waits: false) ?? current
                }
                offer(try encoders.prepare(frame), to: &current, &holdUp)
            case .lost(let reason): tell(.lost(reason.description), current)
            case .restored: tell(.restored, current)
            case .damaged(let count, let latest): options.onEvent?(.sourceDamaged(count: count, latest: latest))
            case nil: return
            }
        }
    }

    /// Takes one more frame after the receivers have left. If there is one, they did not get
    /// everything. So links on which every frame must arrive count it as dropped.
    private func countNext(of source: inout some FrameSource) throws(FrameStreamingError) {
        let missing = control.withLock { $0.links }.filter(\.isReliable)
        let limit = Deadline.after(.seconds(1))
        while !missing.isEmpty, !isEnding, !limit.hasPassed {
            do throws(FrameStreamingError) {
                switch try source.next(until: .after(Self.slice)) {
                case .frame:
                    for link in missing { link.handle(.abandoned) }
                    return
                case .lost, .restored, .damaged: continue
                case nil: return
                }
            } catch {
                if error.code != .timedOut { throw error }
            }
        }
    }

    private func tell(_ notice: SourceNotice, _ receivers: Receivers?) {
        for link in receivers?.links ?? [] { link.handle(.noticed(notice)) }
    }

    /// Changes the options that follow the source, which has turned out to be live.
    private func followLiveSource(_ receivers: inout Receivers?) {
        guard !options.following.isEmpty else { return }
        let links = control.withLock { control in
            control.sourceIsLive = true
            return control.links
        }
        for link in links { link.handle(.sourceIsLive) }
        receivers = receivers?.regrouped
    }

    /// Offers the frame to each link that does not rest, and then
    /// waits for the slowest reliable one.
    private func offer(_ frame: SharedEncoding, to receivers: inout Receivers?, _ holdUp: inout SourceHoldUp) {
        guard var current = receivers.take() else { return }
        defer { receivers = current }
        let (number, woken) = idle.begin(frame)
        current.add(woken)
        // None of these calls waits.
        poller.duringBurst(of: current.awake.count) {
            current.awake.removeAll { !$0.offer(frame, number: number) }
        }
        guard !current.reliable.isEmpty else { return }
        // Since when this frame waits for any link. Links without progress are given up together.
        var start: MonotonicTime?
        var counted = MonotonicTime.now
        func count(_ link: ReceiverLink) {
            let now = MonotonicTime.now
            // One that is away, or has asked for a pause, is not too slow.
            if link.takesFrames, let time = holdUp.sourceWaited(counted.duration(to: now)) {
                options.onEvent?(.sourceHeldUp(duration: time))
            }
            counted = now
        }
        for link in current.reliable {
            while !link.offer(frame, until: .after(Self.slice)) {
                count(link)
                if isEnding {
                    // The frame was taken from the source and is never sent. The
                    // session counts it as its end requires.
                    link.handle(.abandoned)
                    break
                }
                let since = start ?? .now
                start = since
                // A link that is given up takes the frame, and counts it like others after its end.
                link.noteSourceWaits(since: since)
            }
            count(link)
        }
    }

    /// - Parameter complete: The goodbye if neither the source failed
    ///   nor the user stopped the sender.
    func end(_ failure: FrameStreamingError?, _ complete: Goodbye) {
        let (stop, links) = control.update { control in
            control.phase = .ending
            return (control.order.stopped, control.links)
        }
        // A source that somebody cancelled has not failed: it may be started again.
        let ofSource: Goodbye? = failure.map {
            $0.code == .cancelled ? .stopped("source cancelled") : .failed("source failed: \($0)")
        }
        let goodbye = ofSource ?? stop?.goodbye ?? complete
        idle.end()
        // The links end side by side, so that a slow or absent receiver does
        // not delay the goodbyes of others.
        for link in links { link.finish(goodbye, stopped: stop?.time) }
        var open = links
        var hasStopped = stop != nil
        while !control.withLock({ $0.order.isCancelled }) {
            open.removeAll { $0.join(until: .now) }
            guard let first = open.first else { break }
            if !hasStopped, isEnding {
                hasStopped = true
                for link in open { link.handle(.stop) }
            }
            for link in open { link.look() }
            first.join(until: .after(Self.slice))
        }
        // A cancel ends the remaining links.
        for link in open { link.join() }
        encoders.stop()
    }
}
