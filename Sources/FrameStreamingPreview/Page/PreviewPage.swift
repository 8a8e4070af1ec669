internal import FoundationEssentials

/// The page: its markup with the style and the scripts put into it, so that it needs one request,
/// and no permission to load anything.
enum PreviewPage {
    /// The page in pieces, between which the nonce of a response belongs.
    private static let pieces: [String] = {
        let style = "<style>\n\(text(PackageResources.page_css))</style>"
        var page = text(PackageResources.index_html)
            .replacing("<link rel=\"stylesheet\" href=\"page.css\">", with: style)
        let scripts = [
            "elements": PackageResources.elements_js, "figures": PackageResources.figures_js,
            "plot": PackageResources.plot_js, "tile": PackageResources.tile_js, "places": PackageResources.places_js,
            "grid": PackageResources.grid_js, "actions": PackageResources.actions_js,
            "pictures": PackageResources.pictures_js, "connection": PackageResources.connection_js,
        ]
        for (name, script) in scripts {
            page = page.replacing(
                "<script src=\"\(name).js\"></script>", with: "<script nonce=\"\(mark)\">\n\(text(script))</script>")
        }
        return page.split(separator: mark, omittingEmptySubsequences: false).map(String.init)
    }()

    /// Stands for the nonce, and for nothing else.
    private static let mark = "{nonce}"

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Returns the page. It runs only its own scripts: stream names come from peers, and must never
    /// run.
    ///
    /// - Parameter host: The host of the request; nil = unknown.
    static func response(host: String?) -> HTTPResponse {
        // Each nonce has the same length, so that HEAD has the length of GET.
        let nonce = (0..<16).map { _ in
            let byte = String(UInt8.random(in: 0...255), radix: 16)
            return byte.count == 1 ? "0\(byte)" : byte
        }.joined()
        var response = HTTPResponse(
            .ok, type: "text/html; charset=utf-8", .bytes(Array(pieces.joined(separator: nonce).utf8)))
        // Some browsers do not include a WebSocket of the same server in 'self'.
        let socket = host.map { " ws://\($0) wss://\($0)" } ?? ""
        response.set(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'nonce-\(nonce)'; style-src 'unsafe-inline'; img-src 'self' blob: data:; "
                + "connect-src 'self'\(socket); base-uri 'none'; form-action 'none'; frame-ancestors 'self'")
        response.set("Referrer-Policy", "no-referrer")
        return response
    }
}
