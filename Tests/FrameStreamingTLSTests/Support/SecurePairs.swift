import FrameStreamingCore
import FrameStreamingTCP
import Foundation
import Glibc
import TestThreads
import Testing

@testable import FrameStreamingTLS

/// Far beyond what anything here takes: a test that hangs fails instead.
func soon() -> Deadline { .after(.seconds(30)) }

extension Background {
    /// The typed error that the call must end with.
    func error() -> FrameStreamingError? { error(as: FrameStreamingError.self) }
}

/// The typed error that `body` throws; nil where it throws none.
func failure(_ body: () throws -> Void) -> FrameStreamingError? {
    do {
        try body()
        return nil
    } catch {
        return error as? FrameStreamingError
    }
}

/// The credentials of one side.
enum Credentials: String, CaseIterable, Sendable {
    case key, certificates

    func security(listens: Bool) throws -> TCPSecurity {
        switch self {
        case .key: try TLSSecurity(keys: [testKey("camera")]).security
        case .certificates: try certificateSecurity(listens ? "listener" : "camera")
        }
    }
}

/// A key that is the same wherever it is made.
func testKey(
    _ identity: String, byte: UInt8 = 7, role: PreSharedKey.Role? = nil, streams: [String]? = nil
) throws -> PreSharedKey {
    try PreSharedKey(
        identity: identity, role: role, streams: streams,
        secret: KeySecret { room in
            for index in 0..<room.byteCount { room.storeBytes(of: byte, toByteOffset: index, as: UInt8.self) }
            return true
        })
}

/// The path of a certificate of these tests.
func certificatePath(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Certificates/\(name)").path(percentEncoded: false)
}

/// The certificates of one side. A private key is copied, because git does not keep its mode.
func certificateSecurity(_ name: String?, authorities: String? = "authority") throws -> TCPSecurity {
    var files = TLSCertificates(authorities: authorities.map { certificatePath("\($0).pem") })
    let directory = try TemporaryDirectory()
    if let name {
        let key = directory.path("\(name).key")
        try FileManager.default.copyItem(atPath: certificatePath("\(name).key"), toPath: key)
        try #require(unsafe chmod(key, 0o600) == 0)
        files.certificate = certificatePath("\(name).pem")
        files.privateKey = key
    }
    return try withExtendedLifetime(directory) { try TLSSecurity(certificates: files).security }
}

/// OpenSSL's context for the certificates of one side.
func certificateContext(
    _ name: String, authorities: String? = "authority", longestSession: Int = TLSContext.longestSession
) throws -> TLSContext {
    let directory = try TemporaryDirectory()
    let key = directory.path("\(name).key")
    try FileManager.default.copyItem(atPath: certificatePath("\(name).key"), toPath: key)
    try #require(unsafe chmod(key, 0o600) == 0)
    return try withExtendedLifetime(directory) {
        try TLSContext(
            certificates: TLSCertificates(
                certificate: certificatePath("\(name).pem"), privateKey: key,
                authorities: authorities.map { certificatePath("\($0).pem") }), longestSession: longestSession)
    }
}

/// A directory that is removed with its last reference.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID())").path(percentEncoded: false)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func path(_ name: String) -> String { "\(path)/\(name)" }
}

func options(_ security: TCPSecurity?, stream: String = "", timeout: Duration = .seconds(20)) -> TCPOptions {
    var options = TCPOptions()
    options.security = security
    options.stream = stream
    options.handshakeTimeout = timeout
    return options
}

/// Two ends of a loopback connection: `connecting` has the role given.
func makePair(
    _ role: TCPRole = .sender, handshake: Handshake = .binary, connecting: TCPOptions, listening: TCPOptions
) throws -> (connecting: TCPTransport, listening: TCPTransport) {
    let listener = try TCPListener(on: "0", role: role.other, handshake: handshake, options: listening)
    let port = listener.port
    let client = try Background {
        try TCPTransport.connect(
            to: "127.0.0.1:\(port)", role: role, handshake: handshake, options: connecting, until: soon())
    }
    let server = try listener.accept(until: soon())
    return (try client.value(), server)
}

extension TCPRole {
    var isSender: Bool { description == "sender" }
    var other: TCPRole { isSender ? .receiver : .sender }
}

/// A frame whose bytes follow from its number.
func makeFrame(_ number: UInt64, byteCount: Int = 1000) throws -> Frame {
    var buffer = FramePool(capacity: 1).buffer(byteCount: byteCount)
    unsafe buffer.withUnsafeMutableBytes { bytes in
        for index in 0..<bytes.count { unsafe bytes[index] = patternByte(number, index) }
    }
    return try buffer.makeFrame(format: FrameFormat(width: 64, height: 48, pixelFormat: .jpeg), sequence: number)
}

func patternByte(_ number: UInt64, _ index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: (index &* 31) ^ (index >> 8) ^ Int(truncatingIfNeeded: number &* 97))
}

extension Frame {
    /// Whether it has the bytes of this number.
    func isPattern(_ number: UInt64) -> Bool {
        unsafe withUnsafeBytes { bytes in
            (0..<bytes.count).allSatisfy { unsafe bytes[$0] == patternByte(number, $0) }
        }
    }
}

extension TCPTransport {
    func acknowledge(_ sequence: UInt64) throws {
        try send(.acknowledgement(Acknowledgement(sequence: sequence, creditThrough: sequence + 16)), until: soon())
    }
}
