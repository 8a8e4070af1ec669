/// Checks a command line before the parser does: the parser reports what is missing before it says
/// that an option does not exist, and names no range for a value that it refuses. Values without
/// I/O.
package struct CommandLineCheck: Sendable {
    /// The names of all options, such as `--to` and `-i`.
    package let names: Set<String>

    /// - Parameter help: The help screen of the program, in lines that are not wrapped.
    package init(help: String) {
        var names: Set<String> = ["--help", "-h", "--version", "--help-hidden"]
        for line in help.split(separator: "\n") {
            // `  -i, --input <file|->   A file: ...`
            let text = line.drop { $0 == " " }
            guard text.first == "-" else { continue }
            let label = text.firstRange(of: "  ").map { text[..<$0.lowerBound] } ?? text
            for match in label.matches(of: /(?:^|[ ,\/])(--?[A-Za-z][A-Za-z0-9-]*)/) { names.insert(String(match.1)) }
        }
        self.names = names
    }

    /// The first argument that looks like an option and is none, in words; nil = there is none.
    package func unknownOption(in arguments: [String]) -> String? {
        // A shell's completion asks the parser, which has its own way of writing that.
        if arguments.first == "---completion" { return nil }
        for argument in arguments {
            if argument == "--" { return nil }
            // A dash alone is standard input or output, and one in front of a digit is a number.
            guard argument.hasPrefix("-"), argument.dropFirst().first(where: { $0 != "-" })?.isLetter == true else {
                continue
            }
            let name = String(argument.prefix { $0 != "=" })
            if names.contains(name) || Self.isOfTheParser(name) { continue }
            let hint = nearest(to: name).map { " Did you mean '\($0)'?" } ?? ""
            return "Unknown option '\(name)'.\(hint)"
        }
        return nil
    }

    private static func isOfTheParser(_ name: String) -> Bool {
        name.hasPrefix("--generate-") || name.hasPrefix("--experimental-")
    }

    /// What users of other programs type.
    private static let synonyms = [
        "port": ["--listen"], "bind": ["--listen"], "server": ["--listen"], "host": ["--to", "--from"],
        "url": ["--to", "--from"], "connect": ["--to", "--from"], "device": ["--camera"], "d": ["--camera"],
        "output": ["--record"], "out": ["--record"], "o": ["--record"], "file": ["--input", "--record"],
        "source": ["--input"], "framerate": ["--rate"], "desired-fps": ["--rate"], "f": ["--format"],
        "pix_fmt": ["--format"], "pixel_format": ["--format"], "video_size": ["--size"], "width": ["--size"],
        "height": ["--size"], "name": ["--stream"], "bitrate": ["--quality"], "q": ["--quality"], "v": ["--verbose"],
        "t": ["--frames", "--seconds"], "n": ["--frames"], "http": ["--preview"], "web": ["--preview"],
    ]

    /// The option that was probably meant: what other programs call so, one that begins so, or one
    /// with few letters changed.
    func nearest(to name: String) -> String? {
        let word = String(name.drop { $0 == "-" })
        if names.contains("--" + word) { return "--" + word }
        if let known = Self.synonyms[word.lowercased()]?.first(where: names.contains) { return known }
        let long = names.filter { $0.hasPrefix("--") }.map { String($0.dropFirst(2)) }.sorted()
        if word.count >= 3, let longer = long.first(where: { $0.hasPrefix(word) }) { return "--" + longer }
        let best = long.map { ($0, Self.distance(word, $0)) }.min { $0.1 < $1.1 }
        guard let (candidate, distance) = best, distance <= max(1, min(word.count, candidate.count) / 3) else {
            return nil
        }
        return "--" + candidate
    }

    /// How many letters have to be inserted, removed, replaced, or exchanged with their neighbour.
    static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left), Array(right))
        var before: [Int] = []
        var row = Array(0...right.count)
        for i in left.indices {
            var next = [i + 1]
            for j in right.indices {
                let cost = left[i] == right[j] ? 0 : 1
                var least = min(row[j + 1] + 1, next[j] + 1, row[j] + cost)
                let isExchanged = i > 0 && j > 0 && left[i] == right[j - 1] && left[i - 1] == right[j]
                if isExchanged { least = min(least, before[j - 1] + 1) }
                next.append(least)
            }
            (before, row) = (row, next)
        }
        return row[right.count]
    }

    /// The values that an option takes, for a message of the parser that only says that a value is
    /// invalid.
    package static func range(for message: String) -> String? {
        guard let match = message.firstMatch(of: /is invalid for '(--?[A-Za-z-]+)/), !message.contains("Please provide")
        else { return nil }
        return ranges[String(match.1)] ?? ranges["--" + match.1.drop { $0 == "-" }]
    }

    /// Pictures are sent as JPEG, whose sides are shorter than those of other formats.
    private static let size = "WIDTHxHEIGHT with sides of 1 to 65500, such as 1280x720"
    private static let rate = "pictures per second, more than 0, such as 25, 29.97 or 30000/1001"

    private static let ranges = [
        "--bitrate": "8k to 10G bits a second, such as 800k or 2M, or auto",
        "--quality": "1 to 100, or a range of them such as 20...80", "--size": size, "--resolution": size, "-s": size,
        "--rate": rate, "--fps": rate, "-r": rate, "--record-rate": rate,
        "--window": "a number of frames, 1 or more, or adaptive", "--latency-target": "1 to 60000 ms",
        "--give-up-after": "0 to 86400 seconds", "--return-within": "0 to 86400 seconds", "--encoders": "1 to 64",
        "--frames": "a number of pictures, 1 or more", "--consume-ms": "0 to 600000 ms",
        "--maximum-connections": "1 or more", "--maximum-recordings": "0 or more",
        "--maximum-frame-bytes": "1 to 1073741824 bytes", "--memory-limit": "1 to 1048576 MiB",
        "--minimum-rate": "0 to 1000000000 bytes a second", "--seconds": "1 or more",
        "--control": "NAME=VALUE, such as brightness=10 (frame-cameras lists them)",
    ]
}
