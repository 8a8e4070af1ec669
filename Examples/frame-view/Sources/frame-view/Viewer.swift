internal import FrameStreaming
internal import Glibc

/// The main thread's loop: it fills the window and obeys the keys.
final class Viewer {
    private let window: Window
    private let events: Events
    private let stage: Stage
    private let snapshots: SnapshotFolder
    private let report: ViewReport

    private var picture: ReceivedFrame?
    private var status: StreamStatus
    private var receiver: FrameReceiver?
    private var figures = Figures()
    private var showsFigures: Bool
    /// A text that is shown for a few seconds.
    private var notice: (words: String, until: MonotonicTime)?
    /// When the figures were counted last.
    private var counted = MonotonicTime.now
    private var lastPicture = MonotonicTime.now
    private var isVisible = true
    private var isLoaded = false
    private var isDrawn = false
    /// Whether the window has its size, from the user or from the first picture.
    private var hasSize = false
    /// The last reported error of pictures that cannot be shown.
    private var complaint: FrameStreamingError?
    private var end: End?

    /// Why the window was closed.
    struct End {
        /// For the sender.
        let goodbye: Goodbye
        /// Why there will be no stream; nil = no failure.
        let failure: FrameStreamingError?
        /// Whether the user closed it.
        let isByUser: Bool
    }

    private static let noticeTime = Duration.seconds(3)
    /// After how long a live stream without a picture gets a notice.
    private static let silence = Duration.seconds(3)

    init(
        _ window: Window, _ events: Events, _ stage: Stage, snapshots: SnapshotFolder, showsFigures: Bool,
        _ report: ViewReport
    ) {
        self.window = window
        self.events = events
        self.stage = stage
        self.snapshots = snapshots
        self.showsFigures = showsFigures
        self.report = report
        status = stage.take().status
    }

    /// Shows pictures until the window is closed.
    func run() -> End {
        while true {
            draw()
            for event in events.take(until: deadline) { handle(event) }
            takeNews()
            count()
            if let end { return end }
        }
    }

    // MARK: Events

    private func handle(_ event: WindowEvent) {
        switch event {
        case .key(let key): obey(key)
        case .close: close("window closed")
        case .resized:
            hasSize = true
            isDrawn = false
        case .exposed: isDrawn = false
        case .hidden: isVisible = false
        case .shown:
            isVisible = true
            isDrawn = false
        case .texturesLost:
            window.unload()
            isLoaded = false
            isDrawn = false
        case .news: break
        }
    }

    private func obey(_ key: KeyCommand) {
        switch key {
        case .toggleFullscreen: toggleFullscreen()
        case .back: if window.isFullscreen { toggleFullscreen() } else { close("window closed") }
        case .quit: close("window closed")
        case .snapshot: takeSnapshot()
        case .toggleOverlay:
            showsFigures.toggle()
            isDrawn = false
        }
    }

    private func close(_ goodbye: Goodbye, _ failure: FrameStreamingError? = nil, isByUser: Bool = true) {
        end = end ?? End(goodbye: goodbye, failure: failure, isByUser: isByUser)
    }

    private func toggleFullscreen() {
        do throws(FrameStreamingError) { try window.toggleFullscreen() } catch { say(error.message) }
        isDrawn = false
    }

    private func takeSnapshot() {
        guard let picture else { return say("no snapshot: there is no picture yet") }
        do throws(FrameStreamingError) {
            let path = try snapshots.write(picture.encoded, at: time(nil))
            report.snapshot(path)
            say("saved \(path)")
        } catch {
            report.snapshotFailed(error)
            say("\(error)")
        }
    }

    private func say(_ words: String) {
        notice = (words, MonotonicTime.now.advanced(by: Self.noticeTime))
        isDrawn = false
    }

    // MARK: Pictures

    private func takeNews() {
        let news = stage.take()
        if let wish = news.end {
            switch wish {
            case .interrupted: close(.stopped("viewer interrupted"))
            case .over(let failure): close("viewer ended", failure, isByUser: false)
            }
        }
        if news.receiver !== receiver {
            receiver = news.receiver
            figures = Figures()
            counted = .now
            lastPicture = .now
            if let picture { figures.take(picture) }
        }
        if news.status != status {
            status = news.status
            isDrawn = false
        }
        window.title = status.title
        guard let received = news.picture else { return }
        picture = received
        lastPicture = .now
        figures.take(received)
        isLoaded = false
        isDrawn = false
        if !hasSize {
            window.fit(to: Size(width: received.frame.format.width, height: received.frame.format.height))
            hasSize = true
        }
    }

    /// Updates the figures once a second, and removes notices whose time is over.
    private func count() {
        let now = MonotonicTime.now
        if let notice, notice.until <= now {
            self.notice = nil
            isDrawn = false
        }
        guard let receiver, counted.duration(to: now) >= .seconds(1) else { return }
        let interval = receiver.takeInterval()
        figures.take(interval, seconds: seconds(counted.duration(to: now)))
        counted = now
        if showsFigures || silence != nil { isDrawn = false }
    }

    /// The next time at which something must be done without an event.
    private var deadline: Deadline {
        var result = Deadline.never
        if receiver != nil { result = .at(counted.advanced(by: .seconds(1))) }
        if let notice { result = result.earlier(.at(notice.until)) }
        return result
    }

    private var silence: String? {
        let time = lastPicture.duration(to: .now)
        guard receiver != nil, status.isLive, time >= Self.silence else { return nil }
        return "no picture for \(time.components.seconds) s"
    }

    // MARK: Drawing

    private func draw() {
        defer { stage.presented() }
        // A hidden window takes the picture nevertheless, so that the stream goes on and
        // is fresh when the window is back.
        guard isVisible, !isDrawn else { return }
        isDrawn = true
        if let picture, !isLoaded {
            do throws(FrameStreamingError) {
                try window.load(picture.frame)
                isLoaded = true
            } catch {
                // The next picture will most likely fail in the same way.
                if complaint != error { report.cannotShow(error, from: receiver?.peer) }
                complaint = error
                say(error.message)
                isDrawn = true
            }
        }
        let size = window.size
        var texts: [TextLayout] = []
        if showsFigures, !figures.lines.isEmpty { texts.append(TextLayout(figures.lines, at: .topLeft, in: size)) }
        let words = [status.banner ?? silence, notice?.words].compactMap { $0 }
        if !words.isEmpty { texts.append(TextLayout(words, at: .bottom, in: size)) }
        window.draw(dimmed: !status.isLive, texts)
    }
}
