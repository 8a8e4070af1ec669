import Testing

@testable import FrameStreamingCore

/// Who has a relay's streams. The streams are numbers here.
@Suite struct RelayDirectoryTests {
    private var made = 0
    private var directory = RelayDirectory<Int>(limit: 3)
    private let start = MonotonicTime(nanoseconds: 1_000)

    private mutating func enter(_ name: String, displacing: Bool = false) throws -> (stream: Int, number: UInt64) {
        var next = made
        defer { made = next }
        return try directory.enter(name, displacing: displacing) { (_) throws(FrameStreamingError) in
            next += 1
            return next
        }
    }

    private mutating func join(
        _ name: String, waits: Bool = true
    ) throws -> (name: String, generation: UInt64, stream: Int) {
        var next = made
        defer { made = next }
        return try directory.join(name, waits: waits) { (_, _) throws(FrameStreamingError) in
            next += 1
            return next
        }
    }

    private mutating func isOver(
        _ name: String, waiting: Bool = false, forwarded: Bool = false, after: Duration = .zero
    ) -> Bool {
        directory.endIfAbandoned(
            name, waiting: waiting, forwarded: forwarded, patience: .seconds(60), at: start.advanced(by: after))
    }

    private func code(_ body: () throws -> Void) -> FrameStreamingError.Code? {
        do { try body() } catch { return (error as? FrameStreamingError)?.code }
        return nil
    }

    @Test mutating func eitherSideMayComeFirst() throws {
        let joined = try join("front")
        #expect(joined.stream == 1)
        #expect(directory.phase(of: "front") == .awaited)
        directory.joined("front", joined.generation)
        let front = try enter("front")
        #expect(front.stream == 1)
        #expect(directory.phase(of: "front") == .carried(front.number))
        #expect(try enter("back").stream == 2)
        #expect(try join("back").stream == 2)
    }

    @Test mutating func aNameHasOneSender() throws {
        let first = try enter("front").number
        do {
            _ = try enter("front")
            Issue.record("it was entered")
        } catch let error as FrameStreamingError { #expect(error.code == .alreadyExists) }
        // One that has sent nothing makes room, and is not missed when it goes.
        let second = try enter("front", displacing: true)
        #expect(second.stream == 1)
        directory.lose("front", first, at: start)
        #expect(directory.phase(of: "front") == .carried(second.number))
        let ends = directory.end("front", by: first)
        #expect(!ends, "its goodbye ends nothing")
        directory.lose("front", second.number, at: start)
        #expect(directory.phase(of: "front") == .interrupted(since: start))
        #expect(try enter("front").stream == 1)
    }

    @Test mutating func aStreamStaysAsLongAsSomebodyWantsIt() throws {
        let generation = try join("front").generation
        #expect(!isOver("front"), "a receiver is just being added")
        directory.joined("front", generation)
        #expect(!isOver("front", waiting: true))
        let number = try enter("front").number
        #expect(!isOver("front"), "it has a sender")
        directory.lose("front", number, at: start)
        #expect(!isOver("front", waiting: true, after: .seconds(1_000_000)))
        // Those that the relay connects to wait no longer than agreed.
        #expect(!isOver("front", forwarded: true, after: .seconds(59)))
        #expect(isOver("front", forwarded: true, after: .seconds(60)))
        #expect(directory.phase(of: "front") == .ended)
        #expect(isOver("front", waiting: true), "what has ended stays so")
    }

    /// One that gets the stream from those to whom it is forwarded sends nothing, and is no return.
    @Test mutating func aSenderWithoutFramesIsNoReturn() throws {
        directory.lose("front", try enter("front").number, at: start)
        let silent = try enter("front").number
        #expect(!isOver("front", forwarded: true, after: .seconds(59)))
        directory.lose("front", silent, at: start.advanced(by: .seconds(30)))
        #expect(directory.phase(of: "front") == .interrupted(since: start))
        let speaking = try enter("front").number
        directory.noteFrame(of: "front", from: speaking)
        #expect(!isOver("front", forwarded: true, after: .seconds(1_000)))
        directory.lose("front", speaking, at: start.advanced(by: .seconds(1_000)))
        _ = try enter("front")
        #expect(!isOver("front", forwarded: true, after: .seconds(1_059)))
        #expect(isOver("front", forwarded: true, after: .seconds(1_060)))
    }

    /// What belongs to an earlier stream of the name changes nothing at the present one.
    @Test mutating func streamsOfOneNameAreToldApart() throws {
        let old = try join("front").generation
        directory.end("front", old)
        directory.remove("front", old)
        let new = try join("front").generation
        #expect(new != old)
        directory.joined("front", old)
        #expect(!isOver("front"), "a receiver is just being added")
        directory.end("front", old)
        directory.remove("front", old)
        #expect(directory.phase(of: "front") == .awaited)
        directory.joined("front", new)
        #expect(isOver("front"))
    }

    @Test mutating func anEndedStreamTakesNobodyUntilItIsGone() throws {
        let number = try enter("front").number
        let ends = directory.end("front", by: number)
        #expect(ends)
        do {
            try directory.checkRoom("front", isAwaited: false)
            Issue.record("there is room")
        } catch { #expect(error.code == .busy && error.isTransient) }
        do {
            _ = try join("front")
            Issue.record("it was joined")
        } catch let error as FrameStreamingError { #expect(error.code == .busy) }
        do {
            _ = try enter("front")
            Issue.record("it was entered")
        } catch let error as FrameStreamingError { #expect(error.code == .busy) }
        directory.remove("front", directory.entries["front"]?.generation ?? 0)
        #expect(try enter("front").stream == 2)
    }

    @Test mutating func whoeverDoesNotWaitIsToldWhatThereIs() throws {
        do {
            _ = try join("front", waits: false)
            Issue.record("it was joined")
        } catch let error as FrameStreamingError {
            #expect(error.code == .notFound && error.message.contains("front"))
        }
        _ = try enter("back\u{1B}[2J")
        do {
            _ = try join("front", waits: false)
            Issue.record("it was joined")
        } catch let error as FrameStreamingError {
            #expect(error.message.contains("back") && !error.message.contains("\u{1B}"))
        }
        // A stream that others only wait for does not exist.
        _ = try join("side")
        do {
            _ = try join("side", waits: false)
            Issue.record("it was joined")
        } catch let error as FrameStreamingError { #expect(error.code == .notFound) }
    }

    @Test mutating func withoutANameTheOnlyStreamIsMeant() throws {
        do {
            _ = try join("")
            Issue.record("it was joined")
        } catch let error as FrameStreamingError { #expect(error.code == .notFound) }
        _ = try enter("front")
        #expect(try join("").name == "front")
        _ = try enter("back")
        do {
            _ = try join("")
            Issue.record("it was joined")
        } catch let error as FrameStreamingError {
            #expect(error.code == .notFound && error.message.contains("back, front"))
        }
    }

    /// A key that is for some streams learns nothing of the others.
    @Test mutating func thePermittedStreamsAreAllThatThereIs() throws {
        _ = try enter("front")
        _ = try enter("secret")
        #expect(try directory.resolve("", waits: true, permitted: ["front"]) == "front")
        // The handshake refuses these by the key, whether they exist or not.
        #expect(try directory.resolve("secret", waits: false, permitted: ["front"]) == "secret")
        #expect(try directory.resolve("none", waits: false, permitted: ["front"]) == "none")
        do {
            _ = try directory.resolve("side", waits: false, permitted: ["side", "front"])
            Issue.record("it was found")
        } catch { #expect(error.message.contains("front") && !error.message.contains("secret")) }
    }

    @Test mutating func thereAreNoMoreStreamsThanTheLimit() throws {
        for name in ["a", "b", "c"] { _ = try join(name) }
        do {
            _ = try join("d")
            Issue.record("it was joined")
        } catch let error as FrameStreamingError {
            #expect(error.code == .busy && error.message.contains("3 streams"))
        }
        // Those that are only waited for keep no sender out.
        for name in ["d", "e", "f"] { _ = try enter(name) }
        #expect(throws: FrameStreamingError.self) { try enter("g") }
        #expect(made == 6)
        #expect(try enter("a").stream == 1, "one that is awaited has its place")
    }
}
