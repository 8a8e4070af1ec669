/// A recording that is complete: its file or directory, and how many frames are in it.
package struct RecordingEvent: Encodable, Sendable {
    let event = "recording"
    let path: String
    let frames: Int
    /// The name that the sender gave its stream; nil = none.
    let stream: String?

    package init(path: String, frames: Int, stream: String?) {
        self.path = path
        self.frames = frames
        self.stream = stream
    }

    // A key that is always present is easier to rely on.
    package func encode(to encoder: any Encoder) throws {
        var line = encoder.container(keyedBy: LineKey.self)
        try line.encode(event, forKey: "event")
        try line.encode(path, forKey: "path")
        try line.encode(frames, forKey: "frames")
        try line.encode(stream, forKey: "stream")
    }
}

extension OutputOptions {
    /// Prints what was recorded.
    package func recorded(_ event: RecordingEvent) {
        if json {
            printJSON(event)
        } else {
            printLine("recorded \(event.frames) frames in \(event.path)")
        }
    }
}
