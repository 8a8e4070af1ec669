import FrameStreamingCore
import Testing

/// Hosts and ports as people write them.
@Suite struct NetworkAddressTests {
    @Test(
        arguments: [
            ("5600", "127.0.0.1", 5600), (":5600", "127.0.0.1", 5600), ("0", "127.0.0.1", 0), ("[::]:7", "::", 7),
            ("0.0.0.0:7", "0.0.0.0", 7), ("[fe80::1%lo]:65535", "fe80::1%lo", 65535),
            ("tcp://host:5600", "host", 5600), ("TCP://[::1]:7/", "::1", 7), ("tcp://5600", "127.0.0.1", 5600),
            ("tcp://*:5600", "0.0.0.0", 5600), ("*:0", "0.0.0.0", 0), ("[fd80::1]:7", "fd80::1", 7),
            ("fe80.example:7", "fe80.example", 7),
        ] as [(String, String, Int)])
    func aHostMayBeImplied(text: String, host: String, port: Int) throws {
        let address = try NetworkAddress(text, defaultHost: "127.0.0.1")
        #expect(address.host == host && address.port == port)
        // What it prints is an address that it reads.
        #expect(try NetworkAddress(address.description, defaultHost: "other") == address)
    }

    @Test func aHostThatIsNamedNeedsNoDefault() throws {
        #expect(try NetworkAddress("host:5600") == NetworkAddress("host:5600", defaultHost: "other"))
    }

    @Test(arguments: [
        "", "host", "5600", ":5600", "host:", "host:x", "host:-1", "host:65536", "::1:5600", "[::1]",
        "[::1:5600", "host:0", "host:+5", "host:٣", "host:99999999999999999999", "tcp://", "tcp://host", "tcp:///",
        "http://host:80", "rtsp://host:554/1", "://host:80", "tcp://tcp://host:80", "*:5600", "tcp://*:5600",
    ])
    func whatIsNoAddressIsRefusedWithTheForm(text: String) {
        let error = #expect(throws: FrameStreamingError.self) { try NetworkAddress(text) }
        #expect(error?.code == .invalidArgument && error?.subject == text)
        #expect(error?.message.contains("write HOST:PORT") == true)
    }

    @Test(arguments: [
        ("", "the address is empty"), ("5600", "no host is named"), (":5600", "no host is named"),
        ("host", "no port is named"), ("host:", "no port is named"), ("[::1]", "no port is named"),
        ("[::1]:", "no port is named"), ("host:x", "the port must be a number from 0 to 65535, not x"),
        ("host:65536", "the port must be a number from 0 to 65535, not 65536"),
        ("http://host:80", "http is not understood here, only tcp"), ("*:5600", "* is only for listening"),
    ])
    func theErrorNamesWhatIsMissing(text: String, what: String) {
        let error = #expect(throws: FrameStreamingError.self) { try NetworkAddress(text) }
        #expect(error?.message.hasPrefix(what) == true, "\(error as Any)")
        // An empty address leaves no colon in front.
        #expect(error?.description.hasPrefix(text.isEmpty ? what : text + ": " + what) == true)
    }

    /// Each interface has its own fe80::1, so the kernel refuses one without an interface.
    @Test(arguments: ["[fe80::1]:5600", "tcp://[FE80::A:B]:5600", "[febf::]:5600", "[fe80:0:0::1]:5600"])
    func aLinkLocalAddressNeedsItsInterface(text: String) {
        for host in [nil, "127.0.0.1"] {
            let error = #expect(throws: FrameStreamingError.self) { try NetworkAddress(text, defaultHost: host) }
            #expect(error?.code == .invalidArgument && error?.message.contains("%eth0]:5600") == true)
        }
    }

    @Test(arguments: ["", "host", "host:"]) func soItDoesWhereAHostIsImplied(text: String) {
        let error = #expect(throws: FrameStreamingError.self) { try NetworkAddress(text, defaultHost: "127.0.0.1") }
        #expect(error?.message.contains("write [HOST:]PORT") == true)
        #expect(error?.description.hasPrefix(":") == false)
    }
}
