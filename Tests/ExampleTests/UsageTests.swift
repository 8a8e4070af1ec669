import Testing

extension ExampleTests {
    @Suite struct Usage {
        static let bad: [([String], String)] = [
            (["frame-send", "--pattern", "--to", "localhost:1", "--quality", "80...20"], "--quality"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--allow-scale"], "range of qualities"),
            (
                ["frame-send", "--pattern", "--to", "localhost:1", "--to", "localhost:2", "--quality", "20...80"],
                "for one receiver"
            ),
            (
                ["frame-send", "--pattern", "--to", "localhost:1", "--window", "3", "--latency-target", "10"],
                "adaptive window"
            ),
            (["frame-send", "--pattern", "--to", "localhost:1", "--encoders", "0"], "--encoders"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--give-up-after", "-1"], "0 to 86400"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--give-up-after", "86401"], "86400 seconds"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--policy", "deadline:0"], "--policy"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--window", "0"], "--window"),
            (
                ["frame-send", "--pattern", "--to", "localhost:1", "--window", "2", "--handshake", "text"],
                "one frame at a time"
            ),
            (
                ["frame-send", "--pattern", "--to", "localhost:1", "--stream", "a", "--handshake", "text"],
                "no names"
            ),
            (["frame-send", "--pattern", "--to", "localhost:1", "--handshake", "auto"], "text"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--quality", "0"], "--quality"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--quality", "101"], "--quality"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--subsampling", "4:1:0"], "4:2:0"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--size", "640"], "--size"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--size", "0x480"], "--size"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--size", "65535x65535"], "longer than 65500"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--size", "65500x65500"], "67108864 pixels"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--format", "I42"], "I420"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--format", "ABCD"], "I420"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--format", "JPEG"], "I420"),
            (["frame-send", "--input", "a.yuv", "--to", "localhost:1", "--format", "I420"], "--size"),
            (["frame-send", "--input", "a.yuv", "--to", "localhost:1", "--size", "4x4"], "--format"),
            (["frame-send", "--input", "a.yuv", "--to", "localhost:1", "--size", "4x4", "--format", "H264"], "NV12, "),
            (
                ["frame-send", "--input", "a.yuv", "--to", "localhost:1", "--size", "4x4", "--format", "yuv999p"],
                "nv12"
            ),
            (["frame-send", "--pattern", "--to", "localhost:1", "--rate", "0"], "--rate"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--rate", "30/0"], "--rate"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--range", "tv"], "limited"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--policy", "newest"], "latest"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--pace", "fast"], "realtime"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--frames", "0"], "at least 1"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--loop"], "--loop is for files"),
            (["frame-send", "--pattern", "--to", "localhost"], "HOST:PORT"),
            (["frame-send", "--pattern", "--to", "localhost:99999"], "65535"),
            (["frame-send", "--pattern", "--to", "::1:5600"], "brackets"),
            (["frame-send", "--pattern", "--to", "http://localhost:80"], "only tcp"),
            (["frame-send", "--pattern", "--to", "[fe80::1]:5600"], "%eth0"),
            (["frame-receive", "--listen", "[fe80::1]:5600"], "%eth0"),
            (["frame-send", "--pattern", "--listen", "localhost:x"], "[HOST:]PORT"),
            (["frame-send", "--pattern", "--input", "a.y4m", "--to", "localhost:1"], "--pattern, --input"),
            (["frame-send", "--to", "localhost:1"], "--pattern, --input"),
            (["frame-send", "--pattern"], "--to HOST:PORT"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--listen", "0"], "--to HOST:PORT"),
            (["frame-send", "--camera", "/dev/video0", "--loop", "--to", "localhost:1"], "a camera never ends"),
            (["frame-send", "--pattern", "--control", "brightness=1", "--to", "localhost:1"], "--camera PATH"),
            (["frame-send", "--camera", "/dev/video0", "--log-level", "loud", "--to", "localhost:1"], "notice"),
            (["frame-send", "--pattern", "--to", "localhost:1", "--nonsense"], "--nonsense"),
            (["frame-receive"], "--listen [HOST:]PORT"),
            (["frame-receive", "--listen", "0", "--from", "localhost:1"], "--listen [HOST:]PORT"),
            (["frame-receive", "--listen", "localhost:70000"], "65535"),
            (["frame-receive", "--from", "localhost"], "HOST:PORT"),
            (["frame-receive", "--listen", "0", "--frames", "0"], "at least 1"),
            (["frame-receive", "--listen", "0", "--consume-ms", "-1"], "0 to 600000"),
            (["frame-receive", "--listen", "0", "--decode", "yuv"], "i420"),
            (["frame-receive", "--listen", "0", "--handshake", "opencv"], "text"),
            (["frame-receive", "--listen", "0", "--record", "a.y4m", "--decode", "bgr"], "leave --decode out"),
            (["frame-receive", "--listen", "0", "--record", "x.avi"], ".y4m"),
            (["frame-receive", "--listen", "0", "--sync"], "--sync is for --record"),
            (["frame-receive", "--listen", "0", "--maximum-recordings", "-1"], "at least 0"),
            (["frame-receive", "--listen", "0", "--record", "frames/x.jpg"], "ends with /"),
            (["frame-receive", "--listen", "0", "--record", ""], "ends with /"),
            (["frame-receive", "--listen", "0", "--record", "a.mjpg", "--record-rate", "25"], "for Y4M"),
            (["frame-receive", "--listen", "0", "--record", "a.y4m", "--record-rate", "0"], "--record-rate"),
            (["frame-receive", "--listen", "0", "--maximum-connections", "0"], "at least 1"),
            (["frame-receive", "--listen", "0", "--maximum-frame-bytes", "0"], "1 to 1073741824"),
            (["frame-receive", "--listen", "0", "--memory-limit", "0"], "1 to 1048576 MiB"),
            (["frame-receive", "--listen", "0", "--memory-limit", "9223372036854775807"], "1 to 1048576 MiB"),
            (["frame-receive", "--listen", "0", "--minimum-rate=-1"], "0 to 1000000000 bytes a second"),
            (["frame-receive", "--listen", "0", "--minimum-rate", "9223372036854775807"], "0 to 1000000000"),
            (["frame-send", "--pattern", "--to", "a:1", "--minimum-rate", "1000000001"], "0 to 1000000000"),
            (["frame-receive", "--listen", "0", "--limit", "colour=1"], "no limit of that name, but connections-"),
            (["frame-receive", "--listen", "0", "--limit", "pixels"], "--limit pixels is 1 to 4290250000, not"),
            (["frame-receive", "--listen", "0", "--limit", "pixels=0"], "not 0"),
            (["frame-receive", "--listen", "0", "--limit", "pixels=1", "--limit", "pixels=2"], "given twice"),
            (["frame-receive", "--listen", "0", "--limit", "byte-rate=31999"], "or 0 for none"),
            (["frame-receive", "--listen", "0", "--limit", "byte-rate=9223372036854775808"], "bytes a second"),
            (["frame-receive", "--listen", "0", "--limit", "memory=1"], "--memory-limit"),
            (["frame-send", "--pattern", "--to", "a:1", "--limit", "pixels=1"], "this program has no limit pixels"),
            (["frame-send", "--pattern", "--to", "a:1", "--limit", "handshake-time=601"], "1 to 600 seconds"),
            (["frame-receive", "--listen", "0", "nonsense"], "nonsense"),
            (["frame-receive", "--listen", "0", "--no-reconnect"], "for --from and --once"),
            (["frame-demo", "--seconds", "0"], "at least 1"),
            (["frame-demo", "--nonsense"], "--nonsense"),
        ]

        @Test(arguments: bad) func badUsageIsStatus64(command: [String], words: String) throws {
            let outcome = try run(command[0], Array(command.dropFirst()))
            #expect(outcome.end == .exit(64), "\(outcome)")
            #expect(outcome.complaints.contains(words), "\(outcome)")
            #expect(outcome.output == "")
        }

        @Test(
            arguments: [
                (["frame-send", "--qualtiy", "5"], "Unknown option '--qualtiy'. Did you mean '--quality'?"),
                (["frame-send", "--pattern", "--port", "5600"], "Did you mean '--listen'?"),
                (["frame-receive", "--recrod", "a.y4m"], "Did you mean '--record'?"),
                (["frame-demo", "--second", "4"], "Did you mean '--seconds'?"),
                (["frame-cameras", "--jsno"], "Did you mean '--json'?"),
            ] as [([String], String)])
        func anUnknownOptionIsReportedFirst(command: [String], words: String) throws {
            let outcome = try run(command[0], Array(command.dropFirst()))
            #expect(outcome.end == .exit(64) && outcome.output == "", "\(outcome)")
            #expect(outcome.complaints.hasPrefix("Error: Unknown option "), "\(outcome)")
            #expect(outcome.complaints.contains(words), "\(outcome)")
        }

        @Test(arguments: [
            ("--quality", "101", "1 to 100, or a range"), ("--size", "0x480", "sides of 1 to 65500"),
            ("--fps", "0", "more than 0"), ("-s", "640", "such as 1280x720"), ("-r", "nonsense", "more than 0"),
            ("--bitrate", "0", "800k or 2M, or auto"), ("--bitrate", "7k", "8k to 10G"), ("--bitrate", "1e6", "2M"),
            ("--bitrate", "M", "2M"), ("--bitrate", "11G", "8k to 10G"), ("--bitrate", "fast", "auto"),
            ("--window", "0", "1 or more, or adaptive"), ("--frames", "many", "1 or more"),
            ("--encoders", "99999999999999999999", "1 to 64"), ("--policy", "newest", "latest"),
        ])
        func aRefusedValueSaysWhichAreNot(option: String, value: String, words: String) throws {
            let outcome = try run("frame-send", ["--pattern", "--to", "localhost:1", option, value])
            #expect(outcome.end == .exit(64), "\(outcome)")
            let first = outcome.complaints.prefix { $0 != "\n" }
            #expect(first.hasPrefix("Error: The value '\(value)' is invalid for '\(option)"), "\(outcome)")
            #expect(first.contains(words) || outcome.complaints.contains("Please provide one of"), "\(outcome)")
        }

        @Test(arguments: ["frame-send", "frame-receive"]) func anEmptyCommandLineGetsThreeExamples(name: String) throws
        {
            let outcome = try run(name, [])
            #expect(outcome.end == .exit(64) && outcome.output == "")
            let lines = outcome.complaints.split(separator: "\n")
            #expect(lines.count == 5 && lines.count { $0.hasPrefix("  \(name) --") } == 3, "\(outcome)")
            #expect(lines.last?.contains("\(name) --help") == true)
        }

        /// The names that users of ffmpeg and ustreamer type.
        @Test(arguments: [
            ["-s", "64x48", "-r", "100"], ["--resolution", "64x48", "--fps", "100"], ["-r", "64x48", "--rate", "100"],
        ])
        func otherProgramsNamesAreUnderstood(arguments: [String]) throws {
            let workspace = try Workspace()
            let ended = try stream(
                ["--pattern", "--frames", "3", "--policy", "reliable"] + arguments,
                ["--record", workspace.file("out.y4m")])
            try ended.expectAllArrived(3)
            #expect(try Recording(workspace.file("out.y4m")).header.contains(" W64 H48 "))
            let input = try stream(["-i", workspace.file("out.y4m"), "--pace", "max"])
            try input.expectAllArrived(3)
        }

        @Test(arguments: [
            ("frame-send", ["Pictures", "Connection", "Output"]),
            ("frame-receive", ["Connection", "Pictures", "Preview", "Output"]), ("frame-demo", ["Output"]),
        ])
        func helpHasAnExampleForEachGroup(name: String, groups: [String]) throws {
            let help = try run(name, ["--help"]).output
            for group in groups {
                #expect(help.contains(try Regex("\(group): +[^\n]*\(name) ")), "\(group): \(help)")
                #expect(help.contains("\(group.uppercased()):"))
            }
        }

        @Test(arguments: [
            ("frame-demo", "Preview: +frame-demo --preview"), ("frame-demo", "Pictures: +frame-demo --input"),
            ("frame-cameras", "One camera: +frame-cameras /dev/video0"), ("frame-cameras", "--json"),
        ])
        func theOtherProgramsHaveExamplesToo(name: String, words: String) throws {
            let help = try run(name, ["--help"]).output
            #expect(help.contains(try Regex(words)), "\(help)")
        }

        /// What the scripts for bash, zsh and fish call.
        @Test(arguments: ["frame-send", "frame-receive", "frame-demo", "frame-cameras"])
        func completionsAreMade(name: String) throws {
            for shell in ["bash", "zsh", "fish"] {
                let script = try run(name, ["--generate-completion-script", shell])
                #expect(script.end == .exit(0) && script.output.contains(name), "\(script)")
                #expect(script.output.contains("json"), "\(script)")
            }
        }

        @Test func theCompletionOfAValueIsNoUnknownOption() throws {
            // The paths of cameras, of which this machine may have none.
            for (name, argument) in [("frame-send", "--camera"), ("frame-cameras", "positional@0")] {
                let outcome = try run(name, ["---completion", "--", argument, "0", "0", "--nonsense"])
                #expect(outcome.end == .exit(0) && outcome.complaints == "", "\(outcome)")
                #expect(!outcome.output.contains("Error"), "\(outcome)")
            }
        }

        @Test(arguments: ["frame-demo", "frame-send", "frame-receive", "frame-key"]) func helpAndVersion(name: String)
            throws
        {
            let version = try run(name, ["--version"])
            #expect(version.end == .exit(0))
            #expect(version.output.wholeMatch(of: #/\d+\.\d+\.\d+\n/#) != nil)
            let help = try run(name, ["--help"])
            #expect(help.end == .exit(0) && help.output.contains("USAGE: \(name)"))
        }

        @Test(arguments: ["frame-send", "frame-receive"]) func helpSaysWhichPeersAreAccepted(name: String) throws {
            let words = try run(name, ["--help"]).output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains("unless a host is named") && words.contains("which also needs --key-file"))
            #expect(words.contains("without a key: everybody on the way can read and change the pictures"))
        }
    }
}
