import FrameStreamingTLS

/// Everything that a program with encrypted connections names comes with the one import.
func listens(withKeys paths: [String]) throws -> TCPListener {
    let tls = try TLSSecurity(keyFiles: paths)
    var options = TCPOptions()
    options.security = tls.security
    try tls.reload()
    return try TCPListener(on: "0", role: .receiver, options: options)
}

func makesAKey(_ path: String) throws {
    let key = try PreSharedKey.generate(identity: "camera", role: .sender, streams: ["door"])
    try key.write(newFile: path)
    do throws(FrameStreamingError) {
        _ = try TLSSecurity(certificates: TLSCertificates(authorities: path))
    } catch {
        print(error.code == .notAuthenticated, try PreSharedKey(file: path).identity)
    }
}
