import Foundation
import FrameStreamingCore
import FrameStreamingTCP
import Glibc
import TestThreads
import Testing

@testable import FrameStreamingTLS

/// Certificates that a program makes itself, and the files of others.
@Suite(.ownThread(atOnce: 4)) struct OwnCertificateTests {
    @Test func theFileIsMadeForItsOwnerAndThenStays() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("own.pem")
        let made = try TLSSecurity(selfMadeFor: ["camera.example"], keptIn: path)
        var details = stat()
        try #require(unsafe stat(path, &details) == 0)
        #expect(details.st_mode & 0o777 == 0o600)
        let fingerprint = try #require(made.fingerprint)
        #expect(fingerprint.wholeMatch(of: /([0-9A-F]{2}:){31}[0-9A-F]{2}/) != nil)
        #expect(try TLSSecurity(selfMadeFor: [], keptIn: path).fingerprint == fingerprint)
        try made.reload()
        #expect(made.fingerprint == fingerprint)
        #expect(!"\(made)".contains("PRIVATE") && "\(made)" == "TLS 1.3 with certificates")
        // In memory each program has its own, which a reload does not change.
        let other = try TLSSecurity(selfMadeFor: [])
        let before = other.fingerprint
        try other.reload()
        #expect(other.fingerprint == before && before != fingerprint && before != nil)
        try #require(unsafe chmod(path, 0o640) == 0)
        #expect(failure { _ = try TLSSecurity(selfMadeFor: [], keptIn: path) }?.code == .notPermitted)
        #expect(failure { try made.reload() }?.code == .notPermitted)
        #expect(made.fingerprint == fingerprint)
    }

    @Test(arguments: ["", "rubbish", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
    func aFileWithSomethingElseIsATypedError(text: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("own.pem")
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        try #require(unsafe chmod(path, 0o600) == 0)
        let error = failure { _ = try TLSSecurity(selfMadeFor: [], keptIn: path) }
        #expect(error?.code == .malformedInput && error?.subject == path)
    }

    @Test func onlyNamesAndAddressesComeIntoIt() {
        for (host, entry) in [
            ("camera.example", "DNS:camera.example"), ("192.0.2.1", "IP:192.0.2.1"),
            ("[2001:db8::1]", "IP:2001:db8::1"), ("a,DNS:evil.example", nil), ("a b", nil), ("", nil),
            ("kamera\u{301}", nil), ("a/b", nil), ("@section", nil),
        ] as [(String, String?)] {
            #expect(OwnCertificate.entry(host) == entry)
        }
        // What OpenSSL does not take for an address fails the whole, and does not end the program.
        #expect(failure { _ = try TLSSecurity(selfMadeFor: ["1.2.3.4.5"]) }?.code == .system)
    }

    /// A peer that has the certificate as its authority reaches the listener by the name in it.
    @Test func aPeerThatKnowsItConnects() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("own.pem")
        let listening = try TLSSecurity(selfMadeFor: [], keptIn: path).security
        let connecting = try TLSSecurity(certificates: TLSCertificates(authorities: path)).security
        let (connector, listener) = try makePair(
            .sender, connecting: options(connecting), listening: options(listening))
        #expect(listener.peer.identity == nil)
        connector.close()
        listener.close()
    }

    @Test func authoritiesThatOthersMayChangeAreRefused() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("authority.pem")
        try FileManager.default.copyItem(atPath: certificatePath("authority.pem"), toPath: path)
        let files = TLSCertificates(authorities: path)
        for (mode, isFine) in [(0o644, true), (0o400, true), (0o664, false), (0o646, false)] as [(mode_t, Bool)] {
            try #require(unsafe chmod(path, mode) == 0)
            let error = failure { _ = try TLSSecurity(certificates: files) }
            #expect(error?.code == (isFine ? nil : .notPermitted))
        }
    }

    /// Of several certificates in a file one is broken: the others are not used without it.
    @Test func aBrokenCertificateAmongOthersIsATypedError() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("authority.pem")
        let good = try String(contentsOfFile: certificatePath("authority.pem"), encoding: .utf8)
        try (good + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            .write(toFile: path, atomically: false, encoding: .utf8)
        let error = failure { _ = try TLSSecurity(certificates: TLSCertificates(authorities: path)) }
        #expect(error?.code == .malformedInput && error?.subject == path)
    }
}
