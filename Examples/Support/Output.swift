internal import FoundationEssentials
package import FrameStreaming
internal import Glibc

// Prints lines for people and for programs: results on standard output, errors on standard error.
// With `--json` standard output has objects only (Docs/JSON.md), and an error is one of them, too.
//
// Each call prints one line, whatever the text contains. Names and reasons come from peers and
// devices, so they are escaped before they reach a terminal or a log. Callers cut a peer's text to
// 200 characters; each line has a limit of its own.

/// Whether standard output is a terminal. Only there a status line is drawn over itself.
package let outputIsTerminal = isatty(STDOUT_FILENO) == 1

private let longestLine = 4_000

private struct OutputState {
    /// Whether the terminal shows a status line.
    var hasStatus = false
    /// Where results go.
    var results = STDOUT_FILENO
    /// Whether results are objects.
    var isJSON = false
}

/// One writer at a time, so that the lines of several connections do not mix.
private let output = Locked(OutputState())

/// Leaves standard output to pictures: from here on, all lines go to standard error.
package func leaveStandardOutputToPictures() { output.withLock { $0.results = STDERR_FILENO } }

/// Prints objects as results from here on, so that errors are events as well.
package func beginJSON() { output.withLock { $0.isJSON = true } }

/// Prints a line on standard output.
package func printLine(_ text: String) { printResult(String(printable: text, limit: longestLine)) }

/// Prints a line that is printable already.
private func printResult(_ line: String) {
    output.withLock { output in
        write(output.hasStatus ? "\r\u{1B}[K" + line + "\n" : line + "\n", to: output.results)
        output.hasStatus = false
    }
}

/// Prints a line that the next one replaces; nothing if standard output is not a terminal.
package func printStatus(_ text: String) {
    guard outputIsTerminal else { return }
    output.withLock { output in
        write("\r\u{1B}[K" + String(printable: text, limit: longestLine), to: STDOUT_FILENO)
        output.hasStatus = true
    }
}

/// Prints an error on standard error, and with `--json` as an event.
///
/// - Parameters:
///   - text: For people. A peer's text in it is cut.
///   - error: What happened, for its code. Its message is whole in the event.
///   - address: The peer that it is about; nil = none.
///   - whole: The text for the event, if the one for people may be cut.
package func printError(
    _ text: String, _ error: FrameStreamingError? = nil, at address: String? = nil, whole: String? = nil
) {
    printNote("Error: \(text)")
    let event = error.map { text.replacing($0.message, with: $0.wholeMessage) } ?? text
    printEvent(ErrorEvent(message: whole ?? event, code: error?.code.description, address: address))
}

/// Prints a line on standard error that is not an error.
package func printNote(_ text: String) {
    output.withLock { output in
        if output.hasStatus { write("\r\u{1B}[K", to: STDOUT_FILENO) }
        output.hasStatus = false
        write(String(printable: text, limit: longestLine) + "\n", to: STDERR_FILENO)
    }
}

/// Prints an object if the program was begun with `--json`, and nothing otherwise.
package func printEvent(_ value: some Encodable) {
    if output.withLock({ $0.isJSON }) { printJSON(value) }
}

/// An event with the time of its line.
private struct Stamped<Event: Encodable>: Encodable {
    let event: Event

    private static var style: Date.ISO8601FormatStyle { Date.ISO8601FormatStyle(includingFractionalSeconds: true) }

    func encode(to encoder: any Encoder) throws {
        try event.encode(to: encoder)
        var line = encoder.container(keyedBy: LineKey.self)
        try line.encode(Date.now.formatted(Self.style), forKey: "time")
    }
}

/// Prints an object, with the time, on a line of its own. Texts are not cut, and all that is not
/// ASCII is escaped.
package func printJSON(_ value: some Encodable) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(Stamped(event: value)) else { return }
    printResult(asciiJSON(String(decoding: data, as: UTF8.self)))
}

/// Returns the same JSON in printable ASCII. The encoder escapes C0 only; all other characters
/// outside ASCII are inside strings, where they may be escaped.
package func asciiJSON(_ json: String) -> String {
    var result = ""
    for scalar in json.unicodeScalars {
        if scalar.value < 0x7F {
            result.unicodeScalars.append(scalar)
            continue
        }
        for unit in String(Character(scalar)).utf16 {
            let digits = String(unit, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }
    return result
}

private func write(_ text: String, to descriptor: CInt) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        // The pointer and the count are of the same buffer.
        let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 {
            if errno == EINTR { continue }
            // The output has no reader any more, or the disk is
            // full: the work goes on nevertheless.
            return
        }
        rest = rest.dropFirst(count)
    }
}

/// `12.3`, with as many places as asked for: what String(format:) would
/// do, without the rest of Foundation.
package func fixed(_ value: Double, _ places: Int = 1) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    let scaled = Int64((abs(value) * scale).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard places > 0 else { return "\(sign)\(scaled)" }
    let fraction = String(scaled % Int64(scale))
    return "\(sign)\(scaled / Int64(scale)).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
}

/// `1.5 MB/s` and the like.
package func byteRate(_ bytesPerSecond: Double) -> String {
    if bytesPerSecond >= 1e6 { return fixed(bytesPerSecond / 1e6) + " MB/s" }
    if bytesPerSecond >= 1e3 { return fixed(bytesPerSecond / 1e3) + " kB/s" }
    return fixed(bytesPerSecond, 0) + " B/s"
}
