internal import FrameStreamingCore
internal import FrameStreamingSystem
internal import Glibc

/// The address and port on which the server listens.
struct ListeningEndpoint: Hashable {
    /// A numeric address.
    let host: String
    let port: UInt16
    let isIPv6: Bool
    let isLoopback: Bool

    /// - Parameter isOpen: Whether other machines may connect.
    init(_ text: String, isOpen: Bool) throws(FrameStreamingError) {
        let endpoint = try NetworkAddress(text, defaultHost: "127.0.0.1")
        host = endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host
        port = UInt16(endpoint.port)
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
        guard isLoopback || isOpen else {
            throw FrameStreamingError(
                .notPermitted,
                "anybody who can reach this address could see the pictures: leave the host out for this machine only, "
                    + "set PreviewOptions.token and security, or PreviewOptions.insecure if you mean it",
                subject: text)
        }
    }

    /// Whether the server listens on all addresses of this machine.
    var isEverywhere: Bool { host == "0.0.0.0" || host == "::" }

    /// The numeric hosts by which other machines may reach a server that listens on all addresses,
    /// at this moment; empty for one that does not.
    var reachableHosts: [String] {
        guard isEverywhere else { return [] }
        return reachableAddresses(hasIPv6: isIPv6).map { $0.contains(":") ? "[\($0)]" : $0 }
    }

    /// The host in the address of the page: the machine's name where the server listens on all
    /// addresses.
    var shownHost: String {
        guard isEverywhere else { return isIPv6 ? "[\(host)]" : host }
        let name = machineName()
        return name.isEmpty ? host : name
    }
}
