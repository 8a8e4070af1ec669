internal import FrameStreamingCore
internal import FrameStreamingSystem

/// Lets requests in that prove that they may look, by the token, its cookie or a one-time link.
final class AccessCheck: Sendable {
    /// The outcome for a request.
    enum Verdict {
        /// It may go on. `field` belongs into the page's answer: the cookie, without which a browser
        /// would not sign in its WebSocket.
        case allowed(field: (String, String)?)
        case answered(HTTPResponse)
    }

    private struct State {
        var limit = AttemptLimit()
        var codes = OneTimeCodes()
    }

    private let token: PreviewToken?
    private let isSecure: Bool
    private let cookie: String
    private let state = Monitor(State())

    /// How long a browser keeps the cookie after the last time that it loaded the page, in seconds.
    private static let cookieAge = 30 * 86_400

    /// - Parameters:
    ///   - token: Nil = everybody may look.
    ///   - isSecure: Whether the server encrypts.
    ///   - port: The server's. Browsers keep one set of cookies for all ports of a host.
    init(_ token: PreviewToken?, isSecure: Bool, port: Int) {
        self.token = token
        self.isSecure = isSecure
        // Browsers take a cookie of this prefix over HTTPS only, and from this host only.
        cookie = "\(isSecure ? "__Host-" : "")frame-preview-\(port)"
    }

    /// Whether there is anything to check.
    var isClosed: Bool { token != nil }

    /// The numbers of wrong credentials, and of requests that were refused unseen; nil = everybody
    /// may look.
    var counts: (failures: Int, refusals: Int)? {
        token == nil ? nil : state.withLock { ($0.limit.failures, $0.limit.refusals) }
    }

    /// Makes the code of a link.
    func makeCode(until limit: MonotonicTime) -> String { state.withLock { $0.codes.make(until: limit) } }

    func verdict(_ request: RequestHead, from address: PeerHost, at now: MonotonicTime) -> Verdict {
        guard let token else { return .allowed(field: nil) }
        let credentials = RequestCredentials(request, cookie: cookie)
        guard !credentials.isEmpty else { return .answered(Self.unauthorized(request, Self.closed)) }
        return state.withLock { state in
            // A link's code is too long to be guessed, so a wrong one is no attempt: any page can have
            // a browser ask for one, and would keep the browser's user out.
            if let text = credentials.code, state.codes.redeem(text, at: now) {
                state.limit.noteSuccess(of: address, at: now)
                return .answered(Self.welcome(("Set-Cookie", setCookie(token))))
            }
            guard credentials.token != nil || credentials.session != nil else {
                return .answered(Self.unauthorized(request, Self.spent))
            }
            if let pause = state.limit.pause(of: address, at: now) {
                let seconds = Int(pause / .seconds(1)) + 1
                return .answered(
                    .sentence(
                        .tooManyRequests,
                        "There were too many wrong tokens from this network: wait \(seconds) s, and try again.",
                        [("Retry-After", "\(seconds)")]))
            }
            var isRight = false
            if let text = credentials.token {
                if token.isToken(text) { isRight = true } else { note(text, in: &state) }
            }
            if let text = credentials.session {
                if token.isSession(text) { isRight = true } else { note(text, in: &state) }
            }
            guard isRight else {
                return .answered(
                    Self.unauthorized(request, credentials.code == nil ? Self.closed : Self.spent))
            }
            state.limit.noteSuccess(of: address, at: now)
            let field = ("Set-Cookie", setCookie(token))
            // A link that was opened before does no harm to a browser that is in.
            return credentials.code == nil ? .allowed(field: field) : .answered(Self.welcome(field))
        }

        func note(_ wrong: String, in state: inout State) {
            let digest = SHA256.digest(Array(wrong.utf8)).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            state.limit.noteFailure(of: address, digest: digest, at: now)
        }
    }

    private func setCookie(_ token: PreviewToken) -> String {
        "\(cookie)=\(token.session); Path=/; Max-Age=\(Self.cookieAge); HttpOnly; SameSite=Strict"
            + (isSecure ? "; Secure" : "")
    }

    // MARK: Answers

    private static let closed =
        "This preview needs its token: as a bearer token, as the password of any user, or by a link that the program prints."
    private static let spent =
        "This link was used before, or is too old: get a new one from the program, or sign in by its token."

    private static func unauthorized(_ request: RequestHead, _ words: String) -> HTTPResponse {
        var response = HTTPResponse.sentence(.unauthorized, words)
        // A browser asks the user for a password where it loads a page, and not where a script or a
        // page of another site asks for something.
        let modes = request.values("sec-fetch-mode")
        if modes.isEmpty || modes == ["navigate"] {
            response.fields.append(("WWW-Authenticate", #"Basic realm="Live streams", charset="UTF-8""#))
        }
        response.fields.append(("WWW-Authenticate", #"Bearer realm="Live streams""#))
        return response
    }

    /// Takes the browser to the page, without the code in its address and its history. A redirect of
    /// HTTP would count as the step of a page that has the link, for which a browser keeps strict
    /// cookies back.
    private static func welcome(_ field: (String, String)) -> HTTPResponse {
        let text = """
            <!doctype html>
            <html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/">
            <title>Live streams</title><a href="/">Live streams</a></html>

            """
        var response = HTTPResponse(.ok, type: "text/html; charset=utf-8", .bytes(Array(text.utf8)))
        response.set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
        response.set("Referrer-Policy", "no-referrer")
        response.fields.append((name: field.0, value: field.1))
        return response
    }
}
