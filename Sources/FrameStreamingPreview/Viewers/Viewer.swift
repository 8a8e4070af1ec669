internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Somebody who looks, over one connection. Used by the viewers' thread only, once it was handed to it.
class Viewer {
    fileprivate(set) var socket: ViewerSocket
    let pictures: PictureEncoding
    /// Counts it among the viewers as long as it is there.
    private let seat: Seat?
    /// Nothing more will be written, and the connection is closed when what is under way was.
    private(set) var isEnding = false
    private(set) var isOver = false
    private var endingSince: MonotonicTime?

    /// How long the other side has to close its end, once it was told.
    static let farewell = Duration.seconds(1)

    /// - Parameter greeting: What is sent first: the answer to the request that the connection began with.
    init(_ descriptor: Descriptor, _ seat: Seat?, _ pictures: PictureEncoding, greeting: [UInt8]) {
        socket = ViewerSocket(descriptor)
        socket.begin(Outgoing(head: greeting))
        self.seat = seat
        self.pictures = pictures
    }

    // MARK: What each kind does

    /// The message that is to be sent next, and now: the newest there is.
    func nextMessage(at now: MonotonicTime) -> Outgoing? { nil }

    /// Whether there would be one. Asked for every viewer each time that something happens.
    var hasMessage: Bool { false }

    /// Whether there is a message, and the kernel has nothing of the one before.
    var isKnownToBeReady: Bool { false }

    func receive(_ bytes: ArraySlice<UInt8>) {}

    /// Once a second, and when a stream has come, gone or changed. `listing` is what pages are told.
    func update(_ tiles: [StreamTile], listing: () -> [UInt8]) {}

    /// It will not be asked for anything any more.
    func leave() {}

    /// The server ends.
    func close() { end() }

    // MARK: What all do

    var wantsToWrite: Bool { !isOver && (socket.isBusy || (!isEnding && hasMessage)) }

    /// Ends at once, in the middle of what is under way.
    func abandon() {
        socket.abandon()
        isOver = true
    }

    /// Ends when what is under way was written.
    func end() { isEnding = true }

    /// The connection takes bytes: of what is under way first, and of one new message where nothing is.
    func write(at now: MonotonicTime) {
        do throws(SystemError) {
            if !socket.isBusy, !isEnding, let message = nextMessage(at: now) { socket.begin(message) }
            _ = try socket.flush()
        } catch {
            isOver = true
        }
        endIfDone(at: now)
    }

    /// Something came, or the other side has ended.
    func read(into buffer: inout [UInt8], at now: MonotonicTime) {
        do throws(SystemError) {
            guard let count = try socket.receive(into: &buffer) else { return }
            if count == 0 { isOver = true } else if !isEnding { receive(buffer[..<count]) }
        } catch {
            isOver = true
        }
        endIfDone(at: now)
    }

    func endIfDone(at now: MonotonicTime) {
        guard isEnding, !socket.isBusy, !isOver else { return }
        // Closed with bytes unread the kernel would reset the connection, and the last word be lost: so the other side closes first.
        if let endingSince {
            if now.since(endingSince) >= Self.farewell { isOver = true }
        } else {
            endingSince = now
            socket.shutdownWriting()
        }
    }

    /// When to look at it again, though nothing has happened.
    var deadline: MonotonicTime? { endingSince?.advanced(by: Self.farewell) }
}

/// A place among the viewers, given back when nobody holds it any more.
final class Seat: Sendable {
    private let giveBack: @Sendable () -> Void

    init(giveBack: @escaping @Sendable () -> Void) { self.giveBack = giveBack }

    deinit { giveBack() }
}
