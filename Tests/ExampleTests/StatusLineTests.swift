import ExampleSupport
import FrameStreamingCore
import Testing

@Suite struct StatusLineTests {
    private static let parts = [
        streamName("front door"), progressBar(12, of: 300), StatusPart("30.0 fps", rank: 1),
        StatusPart("delay 12.3 ms ± 0.4 (p99 45.6)", short: "delay 12.3 ms", rank: 2),
        StatusPart("1.2 MB/s", rank: 5), StatusPart("7 dropped", rank: 4),
    ]

    @Test(
        arguments: [
            (
                200,
                "front door, [#.............................] 12/300, 30.0 fps, delay 12.3 ms ± 0.4 (p99 45.6), 1.2 MB/s, 7 dropped"
            ),
            (80, "12/300, 30.0 fps, delay 12.3 ms ± 0.4 (p99 45.6), 1.2 MB/s, 7 dropped"),
            (60, "12/300, 30.0 fps, delay 12.3 ms ± 0.4 (p99 45.6), 7 dropped"),
            (50, "12/300, 30.0 fps, delay 12.3 ms ± 0.4 (p99 45.6)"), (40, "12/300, 30.0 fps, delay 12.3 ms"),
            (20, "12/300, 30.0 fps"), (15, "12/300"), (6, "12/300"), (1, "1"), (0, ""),
        ] as [(Int, String)])
    func theLeastImportantFiguresGoFirst(columns: Int, line: String) {
        #expect(statusLine(Self.parts, columns: columns) == line)
        #expect(columnCount(of: line) <= columns)
    }

    @Test(arguments: [
        "plain", "日本語のカメラ", "👨‍👩‍👧 family", "e\u{301}e\u{301}", "한국어", "1\u{FE0F}\u{20E3}", "x\u{1B}[2J\u{202E}",
        String(repeating: "長", count: 300),
    ])
    func noNameIsTooWide(name: String) {
        let parts = [streamName(name), StatusPart(String(printable: name), rank: 0)] + Self.parts
        for columns in [1, 20, 50, 80, 200] {
            let line = statusLine(parts, columns: columns)
            #expect(columnCount(of: line) <= columns, "\(line)")
            #expect(line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }, "\(line)")
        }
    }

    @Test func wideCharactersCountAsWide() {
        #expect(columnCount(of: "abc ±") == 5)
        #expect(columnCount(of: "日本") == 4)
        #expect(columnCount(of: "한") == 2)
        // Never less than what a terminal takes; it may be more.
        #expect(columnCount(of: "👍") == 2 && columnCount(of: "e\u{301}") == 2)
        #expect(prefix(of: "日本語", columns: 5) == "日本")
        #expect(prefix(of: "abc", columns: 0) == "" && prefix(of: "abc", columns: -1) == "")
    }

    @Test func withoutFiguresThereIsNoLine() {
        #expect(statusLine([], columns: 80) == "" && statusLine([]) == "")
    }

    @Test func aBarHasNoOtherLength() {
        for (done, all) in [(0, 0), (0, 7), (7, 7), (9, 7), (-1, 7)] {
            #expect(progressBar(done, of: all).text.prefix { $0 != "]" }.count == 31, "\(done) of \(all)")
        }
    }

    @Test(
        arguments: [
            (true, "xterm-256color", .statusLine), (true, "dumb", .lines), (true, "", .lines), (true, nil, .lines),
            (false, "xterm", .hidden), (false, nil, .hidden),
        ] as [(Bool, String?, ProgressForm)])
    func theTerminalDecidesTheForm(isTerminal: Bool, type: String?, form: ProgressForm) {
        #expect(ProgressForm(isTerminal: isTerminal, type: type) == form)
    }
}

@Suite struct StatusDisplayTests {
    private static let figures = [StatusPart("30.0 fps", rank: 0), StatusPart("delay 1.2 ms", rank: 1)]

    @Test func theCursorWaitsAtTheBeginningOfTheLine() {
        var display = StatusDisplay.absent
        #expect(display.show(Self.figures, columns: 80) == "\r30.0 fps, delay 1.2 ms\u{1B}[J\r")
        #expect(display == .shown(Self.figures))
        // The last column stays free.
        #expect(display.show(Self.figures, columns: 22) == "\r30.0 fps\u{1B}[J\r")
        #expect(display.show(Self.figures, columns: 23) == "\r30.0 fps, delay 1.2 ms\u{1B}[J\r")
    }

    @Test func messagesStandAboveTheLine() {
        var display = StatusDisplay.absent
        #expect(display.around(columns: 80) == ("", ""))
        _ = display.show(Self.figures, columns: 80)
        #expect(display.around(columns: 80) == ("\r\u{1B}[J", "\r30.0 fps, delay 1.2 ms\u{1B}[J\r"))
        #expect(display == .shown(Self.figures))
    }

    @Test func anotherWidthDrawsItAgain() {
        var display = StatusDisplay.absent
        #expect(display.resized(columns: 10) == "")
        _ = display.show(Self.figures, columns: 80)
        #expect(display.resized(columns: 10) == "\r\u{1B}[J\r30.0 fps\u{1B}[J\r")
        #expect(display.resized(columns: 1) == "\r\u{1B}[J\r\u{1B}[J\r")
    }

    @Test func afterTheEndNothingIsDrawn() {
        var display = StatusDisplay.absent
        _ = display.show(Self.figures, columns: 80)
        #expect(display.end() == "\r\u{1B}[J")
        #expect(display == .over)
        #expect(display.end() == "" && display.show(Self.figures, columns: 80) == "")
        #expect(display.resized(columns: 10) == "" && display.around(columns: 10) == ("", ""))
    }
}
