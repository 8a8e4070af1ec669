import FrameStreamingCore
import FrameStreamingSystem

@testable import FrameStreamingTCP

/// A stand-in for TLS that shows what the seam of byte streams must bear: it takes everything from
/// the socket and gives it out in small pieces, takes more than it passes on, and fails in its
/// handshake.
struct MaskedSecurity: ConnectionSecurity {
    /// What the peer has proved to be.
    var peer = SecuredPeer(identity: "masked")
    /// What this side says first, and what it expects. Sides with different words do not get on.
    var word: UInt8 = 0x5A
    /// Bytes that one read gives out at most.
    var piece = 100
    /// Bytes that are kept before they are passed on.
    var room = 1000

    func check(isSender: Bool, stream: String, listens: Bool) throws(FrameStreamingError) {
        if stream == "forbidden" { throw FrameStreamingError(.notPermitted, "no credential for that") }
    }

    func begin(
        _ socket: Descriptor, host: String?, address: String
    ) throws(FrameStreamingError) -> any SecuredStream {
        MaskedStream(socket, self, address)
    }
}

/// Bytes of a connection, each combined with a constant by XOR.
final class MaskedStream: SecuredStream {
    private struct State {
        var hasSpoken = false
        var input: [UInt8] = []
        var output: [UInt8] = []
        var mayHaveMore = false
    }

    private let socket: Descriptor
    private let security: MaskedSecurity
    private let address: String
    private let state = Monitor(State())
    private static let mask: UInt8 = 0xA5

    init(_ socket: Descriptor, _ security: MaskedSecurity, _ address: String) {
        self.socket = socket
        self.security = security
        self.address = address
    }

    var peer: SecuredPeer { security.peer }
    var mayHaveMore: Bool { state.withLock { $0.mayHaveMore } }

    func continueHandshake() throws(FrameStreamingError) -> SecuredHandshakeStep {
        try state.withLock { state throws(FrameStreamingError) in
            if !state.hasSpoken {
                state.hasSpoken = true
                state.output = [security.word]
                guard try passOn(&state) else { return .wantsOutput }
            }
            var first = [UInt8](repeating: 0, count: 1)
            guard let count = try take(into: &first) else { return .wantsInput }
            guard count == 1, first[0] == security.word else {
                throw FrameStreamingError(.notAuthenticated, "the peer has said another word", subject: address)
            }
            return .complete
        }
    }

    func receive(into bytes: inout MutableRawSpan, at offset: Int) throws(FrameStreamingError) -> Int? {
        let room = bytes.byteCount - offset
        let taken: [UInt8]? = try state.withLock { state throws(FrameStreamingError) -> [UInt8]? in
            if state.input.isEmpty {
                var arrived = [UInt8](repeating: 0, count: 65_536)
                guard let count = try take(into: &arrived) else {
                    state.mayHaveMore = false
                    return nil
                }
                state.input = arrived.prefix(count).map { $0 ^ Self.mask }
            }
            let count = min(room, security.piece, state.input.count)
            defer { state.input.removeFirst(count) }
            state.mayHaveMore = count < state.input.count
            return Array(state.input.prefix(count))
        }
        guard let taken else { return nil }
        for (index, byte) in taken.enumerated() {
            bytes.storeBytes(of: byte, toByteOffset: offset + index, as: UInt8.self)
        }
        return taken.count
    }

    func send(_ bytes: RawSpan) throws(FrameStreamingError) -> Int? {
        var copy: [UInt8] = []
        for index in 0..<min(bytes.byteCount, security.room) {
            copy.append(unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) ^ Self.mask)
        }
        return try state.withLock { state throws(FrameStreamingError) -> Int? in
            if state.output.count >= security.room, try !passOn(&state) { return nil }
            let count = min(copy.count, security.room - state.output.count)
            if count == 0 { return nil }
            state.output += copy.prefix(count)
            return count
        }
    }

    func flush() throws(FrameStreamingError) -> Bool {
        try state.withLock { state throws(FrameStreamingError) in try passOn(&state) }
    }

    func endWriting() { _ = try? flush() }

    /// Sends once; false if bytes are left.
    private func passOn(_ state: inout State) throws(FrameStreamingError) -> Bool {
        if state.output.isEmpty { return true }
        do throws(SystemError) {
            let count = try socket.send(state.output, image: nil, imageBytes: 0, from: 0)
            state.output.removeFirst(count)
            return state.output.isEmpty
        } catch {
            if error.code == Errno.again { return false }
            throw FrameStreamingError(lost: error, at: address)
        }
    }

    private func take(into room: inout [UInt8]) throws(FrameStreamingError) -> Int? {
        var span = room.mutableSpan
        var bytes = unsafe span.mutableBytes
        do throws(SystemError) {
            return try socket.receive(into: &bytes, at: 0, wait: .nothing)
        } catch {
            if error.code == Errno.again { return nil }
            throw FrameStreamingError(lost: error, at: address)
        }
    }
}
