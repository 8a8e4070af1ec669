internal import COpenSSL
internal import FrameStreamingCore
internal import FrameStreamingSystem

/// A certificate that only itself vouches for, and its private key: PEM of both. Who accepts it once
/// knows it again by its fingerprint.
struct OwnCertificate: Sendable {
    private let pem: [UInt8]

    private static let mostBytes = 64 << 10

    /// Makes one.
    ///
    /// - Parameter hosts: The names and addresses in it, beside those of the machine; what is neither
    ///   is left out.
    init(for hosts: [String]) throws(FrameStreamingError) {
        fs_tls_begin()
        ERR_clear_error()
        var seen: Set<String> = []
        // A browser that opens another name or address asks its user nevertheless.
        let names = (hosts + Self.hostsOfThisMachine()).compactMap { Self.entry($0) }
            .filter { seen.insert($0).inserted }
        var room = [UInt8](repeating: 0, count: Self.mostBytes)
        defer { cleanse(&room) }
        let count = unsafe room.withUnsafeMutableBufferPointer {
            unsafe fs_tls_make_own(names.joined(separator: ","), $0.baseAddress, CInt($0.count))
        }
        ERR_clear_error()
        guard count > 0 else { throw FrameStreamingError(.system, "OpenSSL could not make a certificate") }
        pem = Array(room[..<Int(count)])
    }

    private static func hostsOfThisMachine() -> [String] {
        let name = machineName()
        // How multicast DNS calls a machine without a domain.
        let names = name.isEmpty ? [] : name.contains(".") ? [name] : [name, "\(name).local"]
        return names + reachableAddresses(hasIPv6: true) + ["localhost", "127.0.0.1", "::1"]
    }

    /// Reads one from a file that only its owner may use; makes it if the file does not exist.
    init(for hosts: [String], keptIn path: String) throws(FrameStreamingError) {
        do throws(FrameStreamingError) {
            pem = try PrivateFile.read(path, atMost: Self.mostBytes)
        } catch {
            guard error.code == .notFound else { throw error }
            let made = try OwnCertificate(for: hosts)
            do throws(FrameStreamingError) {
                try PrivateFile.write(made.pem, new: path)
                pem = made.pem
            } catch {
                // Another program has made it in the meantime.
                guard error.code == .alreadyExists else { throw error }
                pem = try PrivateFile.read(path, atMost: Self.mostBytes)
            }
        }
    }

    /// Loads it into OpenSSL's context.
    ///
    /// - Parameter path: Its file, for messages; nil = it has none.
    /// - Throws: `malformedInput` for a file that has something else.
    ///
    /// Unsafe code: the context lives through the call, and OpenSSL copies the bytes.
    func load(into context: OpaquePointer, path: String?) throws(FrameStreamingError) {
        ERR_clear_error()
        guard unsafe fs_tls_use(context, pem, CInt(pem.count), pem, CInt(pem.count)) == 1 else {
            throw TLSCertificates.unusable(path ?? "", "has no certificate with its private key in PEM")
        }
    }

    /// A name or an address as OpenSSL writes it; nil for what is neither. No other character is let
    /// through: a comma would begin another entry.
    static func entry(_ host: String) -> String? {
        let host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        let isOneOf: (String) -> Bool = { allowed in
            !host.isEmpty && host.utf8.count <= 253 && host.utf8.allSatisfy { allowed.utf8.contains($0) }
        }
        let digits = "0123456789"
        if host.contains(":") { return isOneOf("\(digits)abcdefABCDEF:.") ? "IP:\(host)" : nil }
        if isOneOf("\(digits).") { return "IP:\(host)" }
        return isOneOf("\(digits)abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.") ? "DNS:\(host)" : nil
    }
}
