internal import FoundationEssentials
package import FrameStreaming
internal import Glibc

// Prints lines for people and for programs: results on standard output, errors on standard error.
// With `--json` standard output has objects only (Docs/JSON.md), and an error is one of them, too.
//
// Each call prints one line, whatever the text contains. Names and reasons come from peers and
// devices, so they are escaped before they reach a terminal or a log. Callers cut a peer's text to
// 200 characters; each line has a limit of its own.

private let longestLine = 4_000

private struct OutputState {
    /// The status line, which is where results go.
    var status = StatusDisplay.absent
    var progress = ProgressForm(of: STDOUT_FILENO)
    /// Where results go.
    var results = STDOUT_FILENO
    /// Whether results are objects.
    var isJSON = false
    /// Whether the last result was printed.
    var isOver = false

    var columns: Int { terminalColumns(results) }
}

/// One writer at a time, so that the lines of several connections do not mix.
private let output = Locked(OutputState())

/// Leaves standard output to pictures: from here on, all lines go to standard error.
package func leaveStandardOutputToPictures() {
    output.withLock { output in
        output.results = STDERR_FILENO
        output.progress = ProgressForm(of: STDERR_FILENO)
    }
}

/// Returns the descriptors that lines are printed on.
@Sendable package func printedOutputs() -> [CInt] { [output.withLock { $0.results }, STDERR_FILENO] }

/// Prints objects as results from here on, so that errors are events as well.
package func beginJSON() { output.withLock { $0.isJSON = true } }

/// Prints a line on standard output.
///
/// - Parameter isLast: Whether it is the program's last one there: later ones are not printed.
package func printLine(_ text: String, isLast: Bool = false) {
    printResult(String(printable: text, limit: longestLine), isLast: isLast)
}

/// Prints a line that is printable already.
private func printResult(_ line: String, isLast: Bool = false) {
    output.withLock { output in
        guard !output.isOver else { return }
        output.isOver = isLast
        if isLast { write(output.status.end(), to: output.results) }
        printMessage(line, to: output.results, output)
    }
}

/// Writes a line above the status line.
private func printMessage(_ line: String, to descriptor: CInt, _ output: OutputState) {
    let (before, behind) =
        output.status != .absent && isTerminal(descriptor) ? output.status.around(columns: output.columns) : ("", "")
    // At once, so that the status line does not flicker.
    if descriptor == output.results { return write(before + line + "\n" + behind, to: descriptor) }
    write(before, to: output.results)
    write(line + "\n", to: descriptor)
    write(behind, to: output.results)
}

/// Shows figures until the next ones replace them: as a line that is written over itself, or as one
/// of many on a terminal that cannot do that.
///
/// - Parameter always: Whether they are lines where the output is no terminal; else nothing is
///   shown there.
package func printProgress(_ parts: [StatusPart], always: Bool = false) {
    let isLine = output.withLock { output in
        guard output.progress == .statusLine, !output.isOver else {
            return output.progress == .lines || output.progress == .hidden && always
        }
        write(output.status.show(parts, columns: output.columns), to: output.results)
        return false
    }
    if isLine { printLine(statusLine(parts)) }
}

/// Draws the status line as wide as the terminal is now.
package func redrawStatus() {
    output.withLock { output in write(output.status.resized(columns: output.columns), to: output.results) }
}

/// Removes the status line: no more figures are shown.
package func endProgress() {
    output.withLock { output in
        write(output.status.end(), to: output.results)
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
        printMessage(String(printable: text, limit: longestLine), to: STDERR_FILENO, output)
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
///
/// - Parameter isLast: Whether it is the program's last one: later ones are not printed.
package func printJSON(_ value: some Encodable, isLast: Bool = false) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(Stamped(event: value)) else { return }
    printResult(asciiJSON(String(decoding: data, as: UTF8.self)), isLast: isLast)
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
