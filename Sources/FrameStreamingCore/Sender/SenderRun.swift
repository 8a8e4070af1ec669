internal import FrameStreamingSystem

/// A run of a sender: takes frames from the source, offers them to each link, and sees the links to
/// their end.
struct SenderRun: Sendable {
    let control: Monitor<SenderControl>
    let encoders: EncoderPool
    let poller: AcknowledgementPoller
    let idle: IdleLinks
    let options: SenderOptions

    /// How long a wait lasts at most before a stop or cancel is looked for.
    private static var slice: Duration { .milliseconds(50) }

    private var isEnding: Bool { control.withLock { $0.isStopping || $0.isCancelled } }

    /// The open links. Without any it waits for one, if one may come. Nil: the run is over.
    ///
    /// - Parameter isFirst: Nothing was taken from the source yet: that begins when the first
    ///   receiver is connected.
    private func receivers(isFirst: Bool, waits: Bool) -> Receivers? {
        let found: Receivers?? = control.wait(until: nil) { control in
            if control.isStopping || control.isCancelled { return .some(nil) }
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
        while !isEnding {
            // Looked up when something has changed, and not for every picture.
            if current == nil || current?.version != control.withLock({ $0.version }) {
                // A file waits for those who are to see it. A camera does not: its driver would go
                // on with old pictures in its buffers.
                guard let next = receivers(isFirst: current == nil, waits: current == nil || !source.isLive) else {
                    if current != nil { try countNext(of: &source) }
                    return
                }
                current = next
            }
            let event: SourceEvent?
            do throws(FrameStreamingError) {
                event = try source.next(until: .after(Self.slice))
            } catch {
                if error.code == .timedOut { continue }
                throw error
            }
            switch event {
            case .frame(let frame): offer(SharedEncoding(frame, offered: .now), to: &current)
            case .lost(let reason): tell(.lost(reason.description), current)
            case .restored: tell(.restored, current)
            case nil: return
            }
        }
    }

    /// The receivers have left. Whether the source has another frame tells whether they had
    /// everything: it is counted as dropped where every frame was to arrive.
    private func countNext(of source: inout some FrameSource) throws(FrameStreamingError) {
        let missing = control.withLock { $0.links }.filter(\.isReliable)
        let limit = Deadline.after(.seconds(1))
        while !missing.isEmpty, !isEnding, !limit.hasPassed {
            do throws(FrameStreamingError) {
                switch try source.next(until: .after(Self.slice)) {
                case .frame:
                    for link in missing { link.handle(.abandoned) }
                    return
                case .lost, .restored: continue
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

    /// Each link takes the frame, unless it rests; the slowest reliable one is waited for, when the
    /// others have it.
    private func offer(_ frame: SharedEncoding, to receivers: inout Receivers?) {
        guard var current = receivers.take() else { return }
        defer { receivers = current }
        let (number, woken) = idle.begin(frame)
        current.add(woken)
        // None of these waits.
        poller.duringBurst(of: current.awake.count) {
            current.awake.removeAll { !$0.offer(frame, number: number) }
        }
        // Since when this frame waits, for whichever link: those without progress are given up
        // together.
        var start: MonotonicTime?
        for link in current.reliable {
            while !link.offer(frame, until: .after(Self.slice)) {
                if isEnding {
                    // Taken from the source and never to be sent: it is counted where the session's
                    // end counts its kind.
                    link.handle(.abandoned)
                    break
                }
                let since = start ?? .now
                start = since
                // A link that is given up takes the frame, and counts it with those after its end.
                link.noteSourceWaits(since: since)
            }
        }
    }

    /// - Parameter complete: What is said where neither the source failed nor the user stopped.
    func end(_ failure: FrameStreamingError?, _ complete: Goodbye) {
        let (stop, links) = control.update { control in
            control.hasEnded = true
            return (control.stop, control.links)
        }
        // A source that somebody cancelled has not failed: it may be started again.
        let ofSource: Goodbye? = failure.map {
            $0.code == .cancelled ? .stopped("source cancelled") : .failed("source failed: \($0)")
        }
        let goodbye = ofSource ?? stop?.goodbye ?? complete
        idle.end()
        // Side by side: a link that is slow, or no longer there, keeps none of the others from its
        // goodbye.
        for link in links { link.finish(goodbye, stopped: stop?.time) }
        var open = links
        var hasStopped = stop != nil
        while !control.withLock({ $0.isCancelled }) {
            open.removeAll { $0.join(until: .now) }
            guard let first = open.first else { break }
            if !hasStopped, isEnding {
                hasStopped = true
                for link in open { link.handle(.stop) }
            }
            for link in open { link.look() }
            first.join(until: .after(Self.slice))
        }
        // A cancel ends the links that are left.
        for link in open { link.join() }
        encoders.stop()
    }
}
