internal import FrameStreamingCore
@testable internal import FrameStreamingTCP
internal import Glibc

/// How a handshake with a stranger ended.
private enum Met: Equatable {
    case failed(FrameStreamingError.Code)
    case waits
}

/// A handshake whose peer sends these bytes, and leaves behind the last one if `leaves`.
private func meet(_ ends: SecuredEnds, listens: Bool, _ pieces: some Sequence<[UInt8]>, leaves: Bool) -> Met {
    let pair = SocketPair()
    let stream = ends.begin(pair.near, listens: listens)
    func step() -> Met {
        do throws(FrameStreamingError) {
            let next = try stream.continueHandshake()
            invariant(next == .wantsInput, "a stranger is let in: \(next)")
            return .waits
        } catch {
            return .failed(error.code)
        }
    }
    var met = step()
    for piece in pieces where met == .waits {
        pair.give(piece)
        met = step()
    }
    if leaves, met == .waits {
        pair.endGiving()
        met = step()
        invariant(met != .waits, "a handshake goes on without a peer")
    }
    return met
}

/// The first byte says which side meets the bytes behind it, with which credentials.
func fuzzTLS(_ bytes: [UInt8]) {
    guard let choice = bytes.first else { return }
    let ends: SecuredEnds = choice & 1 == 0 ? .key : .certificates
    let listens = choice & 2 == 0
    let rest = Array(bytes.dropFirst())
    let met = meet(ends, listens: listens, [rest], leaves: choice & 4 == 0)
    if choice & 8 == 0 {
        let again = meet(ends, listens: listens, Pieces(rest), leaves: choice & 4 == 0)
        invariant(met == again, "the pieces matter: \(met), \(again)")
    }
}

/// What is done to the bytes of one direction: one change behind another, each so many bytes after
/// the one before. The last change leaves the rest as it is.
private struct Meddling {
    private enum Change {
        case flip(UInt8), insert(UInt8), leaveOut(Int), replay(Int), hold
    }

    private var changes: ArraySlice<(after: Int, change: Change)>
    private var untilNext: Int
    private var leftOut = 0
    private var isHeld = false
    /// The last bytes that were passed on, which a replay repeats; none where nothing is replayed.
    private var passed: [UInt8] = []
    private let replays: Bool
    private(set) var hasChanged = false

    /// Four bytes each: the direction and the change, the distance, a value.
    init(_ bytes: ArraySlice<UInt8>, toListener: Bool) {
        var found: [(after: Int, change: Change)] = []
        var rest = bytes
        while rest.count >= 4 {
            let four = Array(rest.prefix(4))
            rest = rest.dropFirst(4)
            guard (four[0] & 1 == 0) == toListener else { continue }
            let change: Change =
                switch four[0] >> 1 & 7 {
                case 0, 1: .flip(four[3])
                case 2: .insert(four[3])
                case 3: .leaveOut(Int(four[3]) + 1)
                case 4: .replay(Int(four[3]) * 4 + 1)
                case 5: .hold
                default: .flip(1 << (four[3] & 7))
                }
            found.append((after: Int(four[1]) << 8 | Int(four[2]), change: change))
        }
        changes = found[...]
        replays = found.contains { if case .replay = $0.change { true } else { false } }
        untilNext = found.first?.after ?? 0
    }

    /// The bytes that are passed on instead of these.
    mutating func pass(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            if isHeld || leftOut > 0 {
                let count = isHeld ? rest.count : min(leftOut, rest.count)
                leftOut -= min(leftOut, count)
                rest = rest.dropFirst(count)
                hasChanged = true
                continue
            }
            let count = min(changes.isEmpty ? rest.count : untilNext, rest.count)
            result += rest.prefix(count)
            rest = rest.dropFirst(count)
            untilNext -= count
            guard !rest.isEmpty, let next = changes.popFirst() else { continue }
            untilNext = changes.first?.after ?? 0
            switch next.change {
            case .flip(let bits):
                result.append(rest.removeFirst() ^ bits)
                hasChanged = hasChanged || bits != 0
            case .insert(let new):
                result.append(new)
                hasChanged = true
            case .leaveOut(let count):
                leftOut = count
            case .replay(let count):
                let again = (passed + result).suffix(count)
                hasChanged = hasChanged || !again.isEmpty
                result += again
            case .hold: isHeld = true
            }
        }
        if replays { passed = (passed + result).suffix(1024) }
        return result
    }
}

/// One end of a connection: its stream, what it has to say, and what it has heard.
private struct End {
    let pair = SocketPair()
    let stream: any SecuredStream
    let words: [UInt8]
    private var room = [UInt8](repeating: 0, count: 8192)
    var said = 0
    var heard: [UInt8] = []
    var isComplete = false
    var isOver = false
    var hasFailed = false

    init(_ ends: SecuredEnds, listens: Bool, words: [UInt8]) {
        stream = ends.begin(pair.near, listens: listens)
        self.words = words
    }

    private static func receive(
        _ stream: any SecuredStream, into room: inout [UInt8]
    ) throws(FrameStreamingError) -> Int? {
        var span = room.mutableSpan
        var bytes = unsafe span.mutableBytes
        return try stream.receive(into: &bytes, at: 0)
    }

    /// Does what it can without waiting; false = nothing.
    mutating func step() -> Bool {
        guard !isOver else { return false }
        do throws(FrameStreamingError) {
            if !isComplete {
                isComplete = try stream.continueHandshake() == .complete
                return isComplete
            }
            var went = false
            if said < words.count, let count = try stream.send(words.span.bytes.extracting(said..<words.count)) {
                said += count
                went = true
            }
            _ = try stream.flush()
            if let count = try Self.receive(stream, into: &room) {
                went = true
                if count == 0 { isOver = true }
                heard += room.prefix(count)
            }
            return went
        } catch {
            isOver = true
            hasFailed = true
            return false
        }
    }
}

/// What a side says: bytes that follow from their place, so that a shift is noticed.
private func words(from first: Int) -> [UInt8] {
    (0..<65_536).map { UInt8(truncatingIfNeeded: (first &+ $0) &* 31 ^ $0 >> 8) }
}
private let wordsOfConnector = words(from: 1)
private let wordsOfListener = words(from: 7)

/// Whether the bytes received are those sent, from the first on. At once, because libFuzzer notes each
/// byte that Swift compares.
private func isStart(_ heard: [UInt8], of said: [UInt8]) -> Bool {
    guard heard.count <= said.count else { return false }
    return unsafe memcmp(heard, said, heard.count) == 0
}

/// Three bytes say with which credentials and how much both sides send, and the rest what is done to
/// it on the way. Whatever that is: the bytes received are the bytes sent, from the first on.
func fuzzRecords(_ bytes: [UInt8]) {
    guard bytes.count >= 3 else { return }
    // Seldom certificates, which take twice the time, and differ in the handshake alone.
    let ends: SecuredEnds = bytes[0] & 7 == 7 ? .certificates : .key
    // Most often a few hundred bytes, and at most four records.
    let counts = bytes[1...2].map { $0 & 3 == 3 ? Int($0) * Int($0) : Int($0) }
    var connecting = End(ends, listens: false, words: Array(wordsOfConnector.prefix(counts[0])))
    var listening = End(ends, listens: true, words: Array(wordsOfListener.prefix(counts[1])))
    var toListener = Meddling(bytes[3...], toListener: true)
    var toConnecting = Meddling(bytes[3...], toListener: false)
    var rounds = 0
    var goesOn = true
    while goesOn {
        goesOn = connecting.step()
        if let taken = connecting.pair.take(), !taken.isEmpty {
            listening.pair.give(toListener.pass(taken))
            goesOn = true
        }
        if listening.step() { goesOn = true }
        if let taken = listening.pair.take(), !taken.isEmpty {
            connecting.pair.give(toConnecting.pass(taken))
            goesOn = true
        }
        rounds += 1
        invariant(rounds < 1000, "they never come to an end")
    }
    invariant(isStart(connecting.heard, of: listening.words), "the side that connects heard what was not said")
    invariant(isStart(listening.heard, of: connecting.words), "the side that listens heard what was not said")
    if !toListener.hasChanged, !toConnecting.hasChanged {
        for end in [connecting, listening] { invariant(end.isComplete && !end.hasFailed, "nothing was changed") }
        invariant(
            connecting.heard.count == listening.words.count && listening.heard.count == connecting.words.count,
            "not all was heard")
    }
    if connecting.isComplete {
        invariant(
            connecting.stream.peer.identity == (ends == .key ? "camera" : "listener"), "\(connecting.stream.peer)")
    }
    if listening.isComplete { invariant(listening.stream.peer.identity == "camera", "\(listening.stream.peer)") }
}
