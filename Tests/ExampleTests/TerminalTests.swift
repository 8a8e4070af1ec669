import Glibc
import Testing

/// The screen itself: it must show what a line that is too long does.
@Suite struct TerminalScreenTests {
    @Test func aLineThatIsTooLongWraps() throws {
        var screen = TerminalScreen(columns: 10)
        try screen.write(Array("0123456789".utf8))
        #expect(screen.lines == ["0123456789"])
        try screen.write(Array("x\r\nnext\r".utf8))
        #expect(screen.lines == ["0123456789", "x", "next"] && screen.isAtLineStart)
        try screen.write(Array("\u{1B}[J日本語の名前\r".utf8))
        #expect(screen.lines == ["0123456789", "x", "日本語の名", "前"])
    }

    @Test func aNarrowerScreenBreaksItsRows() throws {
        var screen = TerminalScreen(columns: 10)
        try screen.write(Array("above\r\n012345678\r".utf8))
        screen.shrink(to: 4)
        #expect(screen.lines == ["abov", "e", "0123", "4567", "8"])
        // The cursor is where the line begins, so that all of it can be cleared.
        try screen.write(Array("\u{1B}[Jnew".utf8))
        #expect(screen.lines == ["abov", "e", "new"])
        #expect(throws: Surprise.self) { try screen.write(Array("\u{1B}[2J".utf8)) }
    }
}

extension ExampleTests {
    /// The status line on a terminal, which is a pseudo-terminal here with a screen behind it.
    @Suite struct Terminals {
        /// The rows with figures of a second. All messages here are without them.
        private static func status(_ screen: TerminalScreen) -> [String] {
            screen.lines.filter { $0.contains(" fps") }
        }

        /// Looks until a line appears that is not `before`, on a row of its own below everything else.
        private func watch(_ program: TerminalProgram, otherThan before: String?) throws -> String {
            try program.look(for: "a status line") { screen in
                let found = Self.status(screen)
                return found.count == 1 && found[0] != before && screen.lines.last == found[0] && screen.isAtLineStart
            }
            return Self.status(program.screen)[0]
        }

        private func port(of receiver: TerminalProgram) throws -> Int {
            try receiver.look(for: "the address") { $0.lines.count == 1 && $0.isAtLineStart }
            let line = receiver.screen.lines[0]
            let port = line.split(separator: ":").last.flatMap { Int($0) }
            return try #require(line.hasPrefix("listening on 127.0.0.1:") ? port : nil)
        }

        /// The figures of one second after another, at 80 and then at 50 columns.
        private func check(_ program: TerminalProgram) throws {
            let first = try watch(program, otherThan: nil)
            let second = try watch(program, otherThan: first)
            #expect(max(first.count, second.count) < 80)
            let above = program.screen.lines.dropLast().filter { $0.count < 50 }
            try program.shrink(to: 50)
            // Nothing is left of the line that the narrower terminal had broken over two rows.
            let third = try watch(program, otherThan: second)
            let fourth = try watch(program, otherThan: third)
            #expect(max(third.count, fourth.count) < 50, "\(third)\n\(fourth)")
            #expect(program.screen.lines.dropLast().starts(with: above))
        }

        @Test func theReceiverHasOneLine() throws {
            let receiver = try TerminalProgram("frame-receive", ["--listen", "0"], columns: 80)
            let port = try port(of: receiver)
            let sender = try sender(to: port, ["--pattern", "--size", "64x48", "--stream", "日本語のカメラ"])
            try check(receiver)
            // A message stands above the line, which is drawn again at once.
            let second = try Program(
                "frame-send", ["--to", "127.0.0.1:\(port)", "--pattern", "--size", "64x48", "--stream", "two"])
            try receiver.look(for: "a message above the line") { screen in
                screen.lines.joined().contains("\"two\" connected") && Self.status(screen).count == 1
                    && screen.lines.last?.contains(" fps") == true
            }
            receiver.signal(SIGINT)
            #expect(try receiver.finish() == 0)
            // The summaries are whole lines, and no status line is among them.
            #expect(receiver.screen.lines.joined().contains("stopping; once more to quit now"))
            #expect(receiver.screen.lines.joined().contains("frames of 2 connections in"))
            #expect(!receiver.screen.lines.joined().contains("2 connected"), "\(receiver.screen.lines)")
            for program in [sender, second] {
                program.signal(SIGINT)
                try program.finish()
            }
        }

        @Test func theSenderHasOneLine() throws {
            let (receiver, port) = try receiver()
            let sender = try TerminalProgram(
                "frame-send",
                ["--pattern", "--size", "64x48", "--frames", "100000", "--to", "127.0.0.1:\(port)"], columns: 80)
            try check(sender)
            sender.signal(SIGINT)
            #expect(try sender.finish() == 0)
            #expect(sender.screen.lines.joined().contains("pictures delivered in"))
            receiver.signal(SIGINT)
            try receiver.finish()
        }

        @Test func theDemoHasOneLine() throws {
            let demo = try TerminalProgram("frame-demo", ["--no-preview"], columns: 80)
            try check(demo)
            demo.signal(SIGINT)
            #expect(try demo.finish() == 0)
        }

        /// A terminal of one column shows nothing, and no row is added.
        @Test func aTerminalThatIsTooNarrowShowsLess() throws {
            let demo = try TerminalProgram("frame-demo", ["--no-preview"], columns: 20)
            let line = try watch(demo, otherThan: nil)
            #expect(line.count < 20)
            demo.signal(SIGINT)
            #expect(try demo.finish() == 0)
        }

        @Test(arguments: ["dumb", nil]) func aDumbTerminalGetsALineASecond(type: String?) throws {
            let demo = try TerminalProgram("frame-demo", ["--no-preview"], columns: 200, type: type)
            try demo.look(for: "two lines") { Self.status($0).count == 2 }
            let receiver = try TerminalProgram("frame-receive", ["--listen", "0"], columns: 200, type: type)
            let sender = try sender(to: try port(of: receiver), ["--pattern", "--size", "64x48"])
            try receiver.look(for: "two lines") { Self.status($0).count == 2 }
            for program in [demo, receiver] {
                program.signal(SIGINT)
                #expect(try program.finish() == 0)
            }
            sender.signal(SIGINT)
            try sender.finish()
        }
    }
}
