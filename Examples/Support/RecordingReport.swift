package import FrameStreaming

/// A recording that begins with the first picture of a stream: `recording_started`.
package struct RecordingStartEvent: Encodable, Sendable {
    let event = "recording_started"
    let path: String
    let address: String
    /// The name that the sender gave its stream; nil = none.
    let stream: String?

    /// - Parameter peer: The sender; its address is that of the connection that began the recording.
    package init(path: String, peer: Peer) {
        self.path = path
        address = peer.address
        stream = peer.stream
    }

    package func encode(to encoder: any Encoder) throws {
        var line = encoder.container(keyedBy: LineKey.self)
        try line.encode(event, forKey: "event")
        try line.encode(path, forKey: "path")
        try line.encode(address, forKey: "address")
        try line.encode(stream, forKey: "stream")
    }
}

/// A recording that is complete: its file or directory, and how many frames are in it.
package struct RecordingEvent: Encodable, Sendable {
    let event = "recording"
    let path: String
    let frames: Int
    let address: String
    /// The name that the sender gave its stream; nil = none.
    let stream: String?

    /// - Parameter peer: The sender; its address is that of the connection that began the recording.
    package init(path: String, frames: Int, peer: Peer) {
        self.path = path
        self.frames = frames
        address = peer.address
        stream = peer.stream
    }

    package func encode(to encoder: any Encoder) throws {
        var line = encoder.container(keyedBy: LineKey.self)
        try line.encode(event, forKey: "event")
        try line.encode(path, forKey: "path")
        try line.encode(frames, forKey: "frames")
        try line.encode(address, forKey: "address")
        try line.encode(stream, forKey: "stream")
    }
}

extension OutputOptions {
    /// Prints where a stream is recorded from now on.
    package func records(_ event: RecordingStartEvent) {
        if json {
            printJSON(event)
        } else {
            printLine("\(senderName(event.address, event.stream)) is recorded in \(event.path)")
        }
    }

    /// Prints what was recorded.
    package func recorded(_ event: RecordingEvent) {
        if json {
            printJSON(event)
        } else {
            printLine(
                "recorded \(event.frames) frames in \(event.path), of \(senderName(event.address, event.stream))")
        }
    }
}
