import ExampleSupport
import FrameStreamingCore
import FrameStreamingSystem
import Logging
import Testing

@testable import FrameStreamingCamera

/// The lines that a camera's events write to the log.
@Suite struct CameraLogTests {
    /// Keeps what is logged.
    private struct Kept: LogHandler {
        let lines: Monitor<[String]>
        var logLevel: Logger.Level
        var metadata: Logger.Metadata = [:]
        var metadataProvider: Logger.MetadataProvider?

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let line = StandardErrorLog.line(event.level, "frame-send", "\(event.message)", event.metadata ?? [:])
            lines.withLock { $0.append(line) }
        }
    }

    private func lines(at level: Logger.Level = .trace, of events: CameraEvent...) -> [String] {
        let lines = Monitor<[String]>([])
        let log = CameraLog(Logger(label: "frame-send", factory: { _ in Kept(lines: lines, logLevel: level) }))
        for event in events { log.note(event) }
        return lines.withLock { $0 }
    }

    @Test func whatWasGrantedIsInTheLine() throws {
        let frame = try FrameFormat(width: 64, height: 48, pixelFormat: .yuyv, colorMatrix: .bt709)
        let granted = CameraFormat(
            frame: frame, rate: FrameRate(30), native: .yuyv, isConverted: false, bufferCount: 4)
        #expect(
            lines(of: CameraEvent(.opened, "/dev/video0: Webcam, \(granted)", granted: granted)) == [
                "notice frame-send: /dev/video0: Webcam, 64x48 YUYV at 30 [buffers=4 event=opened format=YUYV matrix=bt709 range=limited rate=30 size=64x48]"
            ])
    }

    @Test func aLossSaysWhyAndWhenToLookAgain() {
        let error = FrameStreamingError(.sourceLost, "the camera is gone: plug it in again", subject: "/dev/video0")
        #expect(
            lines(
                of: CameraEvent(.lost, "\(error)", error: error, retryAfter: .milliseconds(250)),
                CameraEvent(.stillLost, "\(error)", error: error, retryAfter: .milliseconds(500))) == [
                    "error frame-send: \(error) [code=sourceLost event=lost retry_ms=250]",
                    "info frame-send: \(error) [code=sourceLost event=stillLost retry_ms=500]",
                ])
    }

    @Test func eachKindHasItsLevel() {
        let kinds: [(CameraEvent.Kind, String)] = [
            (.opened, "notice"), (.converting, "notice"), (.restored, "notice"), (.restarted, "warning"),
            (.controlRefused, "warning"), (.damaged, "warning"), (.lost, "error"), (.stillLost, "info"),
            (.dropped, "info"),
        ]
        for (kind, level) in kinds {
            #expect(lines(of: CameraEvent(kind, "words")) == ["\(level) frame-send: words [event=\(kind)]"])
        }
    }

    @Test func theLevelDecides() {
        let events = (
            CameraEvent(.dropped, "dropped", frameCount: 3), CameraEvent(.opened, "opened"), CameraEvent(.lost, "lost")
        )
        #expect(lines(at: .info, of: events.0, events.1, events.2).count == 3)
        #expect(lines(at: .info, of: events.0) == ["info frame-send: dropped [event=dropped pictures=3]"])
        #expect(lines(at: .notice, of: events.0, events.1, events.2).count == 2)
        #expect(lines(at: .error, of: events.0, events.1, events.2) == ["error frame-send: lost [event=lost]"])
    }
}
