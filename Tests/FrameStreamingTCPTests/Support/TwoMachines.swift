import FrameStreamingCore
import FrameStreamingSystem
import Glibc
import RawSockets
import TestThreads
import Testing

@testable import FrameStreamingTCP

/// Two ends of this process that look to each other like two machines: every message passes through
/// here, where each end gets a boot id of its own and a shifted clock.
final class TwoMachines: Sendable {
    /// By how much each end's clock seems to be ahead. The other end must
    /// find this, with the opposite sign.
    static let senderAhead: Int64 = 5_000_000_007
    static let receiverAhead: Int64 = -7_000_000_011

    /// What the two ends have in common.
    enum Identity { case each, bootID, bootIDAndCalendar }

    let sender: TCPTransport
    let receiver: TCPTransport
    private let losesPongs: Monitor<Bool>
    private let threads: [Background<Void>]

    /// - Parameters:
    ///   - losesPongs: Whether PONGs are lost until the test lets them through.
    ///   - shared: What makes the ends look like one machine.
    init(losesPongs: Bool = false, shared: Identity = .each) throws {
        let losing = Monitor(losesPongs)
        self.losesPongs = losing
        let (senderEnd, senderPeer) = try makeSocketPair()
        let (receiverEnd, receiverPeer) = try makeSocketPair()
        threads = [
            try Background("the relay to the receiver") {
                Relay(
                    from: senderPeer, to: receiverPeer, ahead: Self.senderAhead, echoesAhead: Self.receiverAhead,
                    losing,
                    shared
                )
                .run()
            },
            try Background("the relay to the sender") {
                Relay(
                    from: receiverPeer, to: senderPeer, ahead: Self.receiverAhead, echoesAhead: Self.senderAhead,
                    losing,
                    shared
                )
                .run()
            },
        ]
        let accepting = try Background {
            try HandshakeDriver(role: .receiver, handshake: .binary, options: TCPOptions(), listens: true)
                .accept(Channel(receiverEnd), until: soon())
        }
        sender = try HandshakeDriver(role: .sender, handshake: .binary, options: TCPOptions(), listens: false)
            .connect(Channel(senderEnd), until: soon())
        receiver = try accepting.value()
    }

    deinit {
        sender.close()
        receiver.close()
        // A relay that hangs has recorded its failure.
        for thread in threads { try? thread.value() }
    }

    func letPongsThrough() { losesPongs.update { $0 = false } }
}

/// One direction: takes messages apart, shifts the times of the end that
/// they come from, and passes them on.
private struct Relay {
    private let from: RawPeer
    private let to: RawPeer
    private let ahead: Int64
    /// By how much the times that the other end gets back were shifted when it sent them.
    private let echoesAhead: Int64
    private let losesPongs: Monitor<Bool>
    private let shared: TwoMachines.Identity

    init(
        from: RawPeer, to: RawPeer, ahead: Int64, echoesAhead: Int64, _ losesPongs: Monitor<Bool>,
        _ shared: TwoMachines.Identity
    ) {
        self.from = from
        self.to = to
        self.ahead = ahead
        self.echoesAhead = echoesAhead
        self.losesPongs = losesPongs
        self.shared = shared
    }

    func run() {
        defer { to.shutdownWriting() }
        var parser = MessageParser(allowed: .everything, maximumFrameByteCount: 1 << 20)
        while true {
            var bytes = from.receiveOnce(1000)
            if bytes.isEmpty { return }
            while !bytes.isEmpty {
                var input = InputBuffer(bytes)
                guard let event = try? parser.take(from: &input) else { break }
                bytes = []
                _ = input.move(upTo: .max, to: &bytes)
                switch event {
                case .message(let message): pass(message)
                case .frame(let header, let metadata, let imageBytes):
                    while bytes.count < imageBytes {
                        let more = from.receiveOnce(imageBytes - bytes.count)
                        if more.isEmpty { return }
                        bytes += more
                    }
                    to.send(
                        shifted(header).marshal(metadata: metadata, imageBytes: imageBytes) + bytes.prefix(imageBytes))
                    bytes.removeFirst(imageBytes)
                }
            }
        }
    }

    private func pass(_ message: WireMessage) {
        var result = message
        switch message {
        case .hello(var hello):
            disguise(&hello, as: 1)
            result = .hello(hello)
        case .welcome(var welcome):
            disguise(&welcome, as: 2)
            result = .welcome(welcome)
        case .ping(var ping):
            ping.sendTime += ahead
            result = .ping(ping)
        case .pong(var pong):
            if losesPongs.withLock({ $0 }) { return }
            pong.echoedTime -= echoesAhead
            pong.receiveTime += ahead
            pong.sendTime += ahead
            result = .pong(pong)
        case .acknowledgement(var word):
            word.arrivalTime?.nanoseconds += ahead
            word.consumedTime?.nanoseconds += ahead
            result = .acknowledgement(word)
        default: break
        }
        to.send(result.marshal())
    }

    private func disguise(_ hello: inout Hello, as machine: UInt8) {
        if shared == .each { hello.bootID = [UInt8](repeating: machine, count: 16) }
        // A clock that is ahead is less behind the calendar by the same amount.
        if shared != .bootIDAndCalendar { hello.realtimeOffset -= ahead }
    }

    private func shifted(_ header: FrameHeader) -> FrameHeader {
        var header = header
        header.captureTime?.nanoseconds += ahead
        header.info.sendTime?.nanoseconds += ahead
        return header
    }
}
