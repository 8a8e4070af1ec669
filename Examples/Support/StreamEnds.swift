package import FrameStreaming

/// How the streams of a run ended, in bounded memory however many there were.
package struct StreamEnds: Sendable {
    /// The ends of streams that had no session, or were forgotten.
    private var settled: Set<StreamEnd> = []
    /// How the last connection of each session ended: a stream that
    /// broke may come back and end well.
    private var sessions: [UInt64: (connection: Int, end: StreamEnd)] = [:]

    /// How many sessions are kept one by one. Beyond that the older
    /// half is settled with its last end.
    package static let mostSessions = 2048

    /// No stream yet.
    package init() {}

    /// Notes the end of a connection; `session` 0 is none, and `connection` counts from 1.
    package mutating func note(_ end: StreamEnd, session: UInt64, connection: Int) {
        guard session != 0 else {
            settled.insert(end)
            return
        }
        // A stream that is back may have ended before its old connection has.
        guard connection > sessions[session]?.connection ?? 0 else { return }
        sessions[session] = (connection, end)
        guard sessions.count > Self.mostSessions else { return }
        let oldest = sessions.sorted { $0.value.connection < $1.value.connection }.prefix(Self.mostSessions / 2)
        for (session, last) in oldest {
            sessions[session] = nil
            settled.insert(last.end)
        }
    }

    /// How many ends are kept.
    package var count: Int { settled.count + sessions.count }

    /// The worst end, which a program that reads only the last line must not miss.
    package var worst: StreamEnd? {
        let ends = settled.union(sessions.values.map(\.end))
        return [StreamEnd.error, .eof, .cancelled, .over, .bye].first(where: ends.contains)
    }
}
