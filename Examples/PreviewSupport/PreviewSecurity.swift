package import ArgumentParser
internal import ExampleSupport
internal import FrameStreaming
package import FrameStreamingPreview

#if canImport(FrameStreamingTLS)
    internal import FrameStreamingTLS
#endif

/// The options for who may see a preview, and for its encryption.
package struct PreviewSecurity: ParsableArguments, Sendable {
    @Option(
        help: ArgumentHelp(
            "Show the preview only to who has the token in this file, which is made if it is missing: by a bearer token, or as the password of any user. A browser can use a link that is printed instead, once. Only the file's owner may read it.",
            valueName: "file"), completion: .file())
    package var previewTokenFile: String?

    @Flag(
        help:
            "Show the preview only to a browser that opens a link, which is printed and works once. Signal SIGHUP to frame-receive prints another."
    )
    package var previewLink = false

    @Flag(
        help:
            "HTTPS for the preview: by the certificate of --tls-cert, or by one of its own, whose fingerprint is printed."
    )
    package var previewTls = false

    @Option(
        help: ArgumentHelp(
            "The same by a certificate of its own that is kept in this file, with its private key. It is made if it is missing.",
            valueName: "file.pem"), completion: .file())
    package var previewTlsFile: String?

    package init() {}

    private var hasToken: Bool { previewTokenFile != nil || previewLink }

    /// Whether there is anything that SIGHUP has to do with.
    package var isUsed: Bool { hasToken || previewTls || previewTlsFile != nil }

    package func validate() throws {
        #if !canImport(FrameStreamingTLS)
            if previewTls || previewTlsFile != nil {
                throw ValidationError(
                    "this build has no TLS: build the package with its trait TLS, which is on by default")
            }
        #endif
        if previewTokenFile != nil, previewLink {
            throw ValidationError(
                "--preview-token-file and --preview-link: give one of them, a link is printed for both")
        }
    }

    /// Refuses an address that others could reach without a token and HTTPS, and options without
    /// their use.
    ///
    /// - Parameters:
    ///   - address: Nil = there is no preview.
    ///   - certificate: The certificate of the program's listener.
    package func check(_ address: String?, certificate: String? = nil, insecure: Bool) throws {
        guard let address else {
            if isUsed { throw ValidationError("the options --preview-... are for a preview: give --preview as well") }
            return
        }
        if certificate != nil, previewTlsFile != nil {
            throw ValidationError("--tls-cert and --preview-tls-file: give one of them for the preview")
        }
        do throws(FrameStreamingError) {
            let isForOthers = insecure || (hasToken && usesTLS(at: address, certificate))
            try PreviewServer.check(address, isForOthers: isForOthers)
        } catch {
            guard error.code == .notPermitted else { throw ValidationError("\(error)") }
            throw ValidationError(
                "\(address): anybody who can reach this address could see the pictures: leave the host out for this machine only, give --preview-tls and --preview-token-file FILE or --preview-link, or --insecure if you mean it"
            )
        }
    }

    /// A certificate for other purposes is used for pages beyond this machine, too.
    private func usesTLS(at address: String, _ certificate: String?) -> Bool {
        if previewTls || previewTlsFile != nil { return true }
        guard certificate != nil else { return false }
        do throws(FrameStreamingError) { try PreviewServer.check(address) } catch { return true }
        return false
    }

    /// Opens the preview, and prints what its viewers need once.
    ///
    /// - Parameters:
    ///   - certificate: The files of the certificate of the program's listener, and of its private
    ///     key.
    ///   - reloads: Whether the program keeps SIGHUP.
    package func open(
        on address: String, certificate: (file: String, key: String)? = nil, insecure: Bool, reloads: Bool
    ) throws(FrameStreamingError) -> PreviewServer {
        var options = PreviewOptions()
        options.insecure = insecure
        if let previewTokenFile {
            options.token = try PreviewToken(file: previewTokenFile, createsMissing: true)
        } else if previewLink {
            options.token = .generate()
        }
        if isUsed { leaveNoCoreFile() }
        #if canImport(FrameStreamingTLS)
            if usesTLS(at: address, certificate?.file) {
                let tls: TLSSecurity
                if let certificate {
                    tls = try TLSSecurity(
                        certificates: TLSCertificates(certificate: certificate.file, privateKey: certificate.key))
                } else {
                    tls = try TLSSecurity(selfMadeFor: [], keptIn: previewTlsFile)
                    printNote(
                        "HTTPS by a certificate of its own, which a browser asks to accept: its SHA-256 is \(tls.fingerprint ?? "")"
                    )
                }
                options.security = tls.webSecurity
                if reloads { HangUp.onEach { reload(tls) } }
            }
        #endif
        let server = try PreviewServer(on: address, codec: JPEGCodec(), options: options)
        if hasToken {
            printLink(of: server)
            if reloads { HangUp.onEach { printLink(of: server) } }
        }
        return server
    }
}

/// Prints a link that signs one browser in.
private func printLink(of server: PreviewServer) {
    printNote("sign in, once and within an hour, by \(server.signInLink(validFor: .seconds(3600)))")
}

#if canImport(FrameStreamingTLS)
    private func reload(_ tls: TLSSecurity) {
        let before = tls.fingerprint
        do throws(FrameStreamingError) { try tls.reload() } catch {
            return printNote("Error: \(error): the preview's certificate of before stays in use")
        }
        if let fingerprint = tls.fingerprint, fingerprint != before {
            printNote("the preview has another certificate now: its SHA-256 is \(fingerprint)")
        }
    }
#endif
