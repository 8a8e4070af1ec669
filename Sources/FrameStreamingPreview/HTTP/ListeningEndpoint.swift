internal import FrameStreamingCore
internal import Glibc

/// Where the server is told to listen.
struct ListeningEndpoint: Hashable {
    /// An address as a number.
    let host: String
    let port: UInt16
    let isIPv6: Bool
    let isLoopback: Bool

    /// - Parameter insecure: Whether others than this machine may connect.
    init(_ text: String, insecure: Bool) throws(FrameStreamingError) {
        let endpoint = try TCPEndpoint(text, defaultHost: "127.0.0.1")
        host = endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host
        port = endpoint.port
        var four = in_addr()
        var six = in6_addr()
        if unsafe inet_pton(AF_INET, host, &four) == 1 {
            isIPv6 = false
            isLoopback = UInt32(bigEndian: four.s_addr) >> 24 == 127
        } else if unsafe inet_pton(AF_INET6, host, &six) == 1 {
            isIPv6 = true
            isLoopback = unsafe withUnsafeBytes(of: &six) { unsafe $0.dropLast().allSatisfy { $0 == 0 } && $0[15] == 1 }
        } else {
            throw FrameStreamingError(
                .invalidArgument,
                "a preview listens on an address of this machine as a number, such as 192.168.1.5, or on 0.0.0.0 for all of them",
                subject: text)
        }
        guard isLoopback || insecure else {
            throw FrameStreamingError(
                .notPermitted,
                "everybody who can reach this address would see the pictures, for nothing is encrypted and nobody is asked for a password: "
                    + "leave the host out for this machine only, or say that you mean it (--insecure, PreviewOptions.insecure)",
                subject: text)
        }
    }

    /// What an address of the page has: where it listens everywhere, the machine's name.
    var shownHost: String {
        guard host == "0.0.0.0" || host == "::" else { return isIPv6 ? "[\(host)]" : host }
        var name = [CChar](repeating: 0, count: 256)
        // The count leaves room for the zero that a long name would be cut without.
        guard unsafe gethostname(&name, name.count - 1) == 0, name[0] != 0 else { return host }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
