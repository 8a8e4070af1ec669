import Testing

@testable import ExampleSupport

@Suite struct CommandLineCheckTests {
    private let check = CommandLineCheck(
        help: """
            USAGE: frame-send --pattern

            PICTURES:
              --pattern               Send a test pattern, not --nothing.
              -i, --input <file|->    A file.
              --size, --resolution <WxH>
                                      The size.
              --overwrite/--no-overwrite
                                      Replace.
              --quality <n>           Quality.
              --rate, --fps <n/d>     Rate.
              --to <host:port>        Connect.
              --listen <port>         Listen.
              --maximum-connections <n>
            """)

    @Test func theNamesAreThoseOfTheHelp() {
        #expect(
            check.names == [
                "--pattern", "-i", "--input", "--size", "--resolution", "--overwrite", "--no-overwrite", "--quality",
                "--rate", "--fps", "--to", "--listen", "--maximum-connections", "--help", "-h", "--version",
                "--help-hidden",
            ])
    }

    @Test(arguments: [
        ["--pattern", "--to", "a:1"], ["-i", "-", "--size=4x4"], ["--quality", "-1"], ["--", "--nonsense"], [],
        ["--generate-completion-script", "bash"], ["-h"], ["---completion", "--", "--camera", "0", "0", "--nonsense"],
    ])
    func whatExistsIsLeftToTheParser(arguments: [String]) {
        #expect(check.unknownOption(in: arguments) == nil)
    }

    @Test(
        arguments: [
            ("--qualtiy", "--quality"), ("--qualty=5", "--quality"), ("--imput", "--input"), ("-pattern", "--pattern"),
            ("--max-connections", "--maximum-connections"), ("--maximum", "--maximum-connections"),
            ("--resolutoin", "--resolution"),
            ("--port", "--listen"), ("--host", "--to"), ("--framerate", "--rate"), ("--zzz", nil), ("-x", nil),
        ] as [(String, String?)])
    func theNearestNameIsOffered(option: String, nearest: String?) {
        let words = check.unknownOption(in: ["--pattern", option])
        let name = option.prefix { $0 != "=" }
        #expect(words == "Unknown option '\(name)'." + (nearest.map { " Did you mean '\($0)'?" } ?? ""))
    }

    @Test func distances() {
        #expect(CommandLineCheck.distance("", "abc") == 3 && CommandLineCheck.distance("abc", "") == 3)
        #expect(CommandLineCheck.distance("size", "size") == 0 && CommandLineCheck.distance("szie", "size") == 1)
        #expect(CommandLineCheck.distance("rate", "rat") == 1 && CommandLineCheck.distance("kitten", "sitting") == 3)
    }

    @Test func rangesAreKnownByEachName() {
        for name in ["--rate <n/d>", "--fps <n/d>", "-r <n/d>"] {
            let words = CommandLineCheck.range(for: "The value '0' is invalid for '\(name)'")
            #expect(words?.contains("more than 0") == true)
        }
        #expect(
            CommandLineCheck.range(for: "The value 'x' is invalid for '--policy'. Please provide one of a, b") == nil)
        #expect(CommandLineCheck.range(for: "Missing value for '--rate <n/d>'") == nil)
    }
}
