internal import FrameStreamingCore
internal import FrameStreamingSystem
internal import FrameStreamingTCP
@testable internal import FrameStreamingTLS
internal import Glibc

/// The credentials of both sides: made once, because reading files takes longer than an input.
enum SecuredEnds: CaseIterable {
    case key, certificates

    private static let oneKey = made { () throws(FrameStreamingError) in
        try TLSSecurity(keys: [
            PreSharedKey(
                identity: "camera", role: nil, streams: nil,
                secret: KeySecret { room in
                    for index in 0..<room.byteCount { room.storeBytes(of: 7, toByteOffset: index, as: UInt8.self) }
                    return true
                })
        ])
    }
    private static let listener = certificates("listener")
    private static let connector = certificates("camera")

    private static func made(_ make: () throws(FrameStreamingError) -> TLSSecurity) -> TLSSecurity {
        do throws(FrameStreamingError) { return try make() } catch { fatalError("no credentials: \(error)") }
    }

    /// The certificates of the TLS module's tests. A private key is copied, because git does not
    /// keep its mode.
    private static func certificates(_ name: String) -> TLSSecurity {
        let folder =
            "\(#filePath.split(separator: "/").dropLast(4).reduce("") { "\($0)/\($1)" })/FrameStreamingTLSTests/Certificates"
        let copy = "/dev/shm/fuzz-\(getpid())-\(name).key"
        guard let text = try? Descriptor.open("\(folder)/\(name).key").readAll(limit: 65_536),
            (try? Descriptor.createNewPrivate(copy).writeAll(text.span.bytes)) != nil
        else { fatalError("\(folder)/\(name).key could not be copied to \(copy)") }
        defer { try? removeFile(copy) }
        return made { () throws(FrameStreamingError) in
            try TLSSecurity(
                certificates: TLSCertificates(
                    certificate: "\(folder)/\(name).pem", privateKey: copy, authorities: "\(folder)/authority.pem"))
        }
    }

    /// One side's stream, over a socket whose other end the caller has.
    func begin(_ socket: Descriptor, listens: Bool) -> any SecuredStream {
        let security =
            switch self {
            case .key: Self.oneKey
            case .certificates: listens ? Self.listener : Self.connector
            }
        do throws(FrameStreamingError) {
            return try security.begin(socket, host: listens ? nil : "localhost", address: "fuzz")
        } catch {
            fatalError("no stream: \(error)")
        }
    }
}

/// Both ends of a connection within this process, which no call waits for.
struct SocketPair {
    let near: Descriptor
    let far: Descriptor
    private static let room = Room()

    /// Memory for one read, which all share: only libFuzzer's thread reads.
    ///
    /// Unsafe code: it is allocated once, with the count that each read is given, and never freed.
    @safe private struct Room: @unchecked Sendable {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
    }

    init() {
        var ends: [CInt] = [0, 0]
        guard
            unsafe socketpair(
                AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0
        else { fatalError("no socket pair") }
        near = Descriptor(ends[0])
        far = Descriptor(ends[1])
    }

    /// The bytes that have arrived at the far end; nil = the near end is closed, and all were read.
    func take() -> [UInt8]? {
        var taken: [UInt8] = []
        let room = unsafe Self.room.bytes
        while true {
            let count = unsafe recv(far.raw, room.baseAddress, room.count, 0)
            guard count > 0 else { return count == 0 && taken.isEmpty ? nil : taken }
            unsafe taken += room[..<count]
        }
    }

    /// Sends to the near end; what does not fit is lost, which is as if it were on its way for ever.
    func give(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        guard !bytes.isEmpty else { return }
        _ = unsafe bytes.withUnsafeBytes { unsafe send(far.raw, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
    }

    func endGiving() { _ = shutdown(far.raw, CInt(SHUT_WR)) }
}
