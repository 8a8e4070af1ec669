package import ArgumentParser
package import FrameStreaming

#if canImport(FrameStreamingTLS)
    internal import FrameStreamingTLS
#endif

/// The options for keys and certificates, and the one that does without them.
package struct SecurityOptions: ParsableArguments, Sendable {
    @Option(
        help: ArgumentHelp(
            "Encrypt all connections by a key that both sides have, and let nobody else in: frame-key makes one. A side that listens may have several, one for each peer. SIGHUP reads them again.",
            valueName: "file"), completion: .file())
    package var keyFile: [String] = []

    @Option(
        help: ArgumentHelp("The same by certificates: this side's own, in PEM.", valueName: "file.pem"),
        completion: .file())
    package var tlsCert: String?

    @Option(
        help: ArgumentHelp("The private key of --tls-cert, which only its owner may read.", valueName: "file.pem"),
        completion: .file())
    package var tlsKey: String?

    @Option(
        help: ArgumentHelp(
            "Who must have signed the peers' certificates. A side that listens then lets in nobody without one.",
            valueName: "file.pem"), completion: .file())
    package var tlsCa: String?

    @Flag(
        help:
            "Go beyond this machine without a key: everybody on the way can read and change the pictures, and everybody who reaches an open port is let in. The same for a preview without both a token and HTTPS."
    )
    package var insecure = false

    package init() {}

    private var usesCertificates: Bool { tlsCert != nil || tlsKey != nil || tlsCa != nil }
    package var isSecure: Bool { !keyFile.isEmpty || usesCertificates }

    /// The options that a peer needs to be let in, with names in the place of its files.
    package var credentialOfPeers: String {
        if !keyFile.isEmpty { return " --key-file FILE" }
        guard usesCertificates else { return "" }
        return tlsCa == nil ? " --tls-ca FILE" : " --tls-ca FILE --tls-cert FILE --tls-key FILE"
    }

    package func validate() throws {
        #if !canImport(FrameStreamingTLS)
            if isSecure {
                throw ValidationError(
                    "this build has no TLS: build the package with its trait TLS, which is on by default")
            }
        #endif
        if !keyFile.isEmpty, usesCertificates {
            throw ValidationError(
                "give --key-file, or certificates by --tls-cert, --tls-key and --tls-ca, and not both")
        }
        if (tlsCert == nil) != (tlsKey == nil) {
            throw ValidationError("--tls-cert and --tls-key belong together: give both")
        }
    }

    /// Refuses to listen beyond this machine without a key, and more keys than a side that connects
    /// can use.
    package func check(connecting: [String], listening: String?) throws {
        // A certificate of this side's own proves nothing about who connects.
        let provesPeers = !keyFile.isEmpty || tlsCa != nil
        if let listening, !provesPeers, !insecure, !isOfThisMachine(listening, defaultHost: "127.0.0.1") {
            let plain = tlsCert == nil ? ", and nothing is encrypted" : ""
            throw ValidationError(
                "\(listening): beyond this machine everybody who reaches the port would be let in\(plain): give --key-file FILE (frame-key generate FILE makes one), or --tls-ca FILE as well as a certificate, or --insecure if you mean it"
            )
        }
        if !connecting.isEmpty, keyFile.count > 1 {
            throw ValidationError("a side that connects uses one key: give --key-file once")
        }
    }

    /// Whether the address is of this machine only.
    package func isOfThisMachine(_ address: String, defaultHost: String? = nil) -> Bool {
        guard let host = try? NetworkAddress(address, defaultHost: defaultHost).host else { return true }
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Keeps SIGHUP for ``load(connecting:)``. Called before any other thread is started, because
    /// the signal would end the program where it is not kept.
    package func keepReload() {
        if isSecure { HangUp.keep() }
    }

    /// Reads the keys or certificates, and says in a line if there are none for a connection beyond
    /// this machine. From then on SIGHUP reads them again, and a crash leaves no core file, which
    /// would have them in it.
    package func load(connecting: [String]) throws(FrameStreamingError) -> TCPSecurity? {
        guard isSecure else {
            if !insecure, let beyond = connecting.first(where: { !isOfThisMachine($0) }) {
                printNote(
                    "\(beyond): without --key-file anybody on the way can read and change the pictures (--insecure: do not say so)"
                )
            }
            return nil
        }
        #if canImport(FrameStreamingTLS)
            let tls =
                usesCertificates
                ? try TLSSecurity(
                    certificates: TLSCertificates(certificate: tlsCert, privateKey: tlsKey, authorities: tlsCa))
                : try TLSSecurity(keyFiles: keyFile)
            leaveNoCoreFile()
            reloadOnHangUp(tls)
            return tls.security
        #else
            return nil
        #endif
    }
}

#if canImport(FrameStreamingTLS)
    /// Reads the files of the keys or certificates again on each SIGHUP.
    private func reloadOnHangUp(_ tls: TLSSecurity) {
        HangUp.onEach {
            do throws(FrameStreamingError) {
                try tls.reload()
                printNote("the keys were read again: new connections use them")
            } catch {
                printNote("Error: \(error): the keys of before stay in use")
            }
        }
    }
#endif
