import Foundation

/// A line of `--json`: an object, with the types of its values as JSON has them.
struct Line {
    private let object: [String: Any]
    let text: String

    init(_ text: String) throws {
        self.text = text
        guard let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            throw Surprise("no object: \(text)")
        }
        self.object = object
    }

    var keys: Set<String> { Set(object.keys) }
    var event: String? { string("event") }
    var scope: String? { string("scope") }

    func string(_ key: String) -> String? { object[key] as? String }
    func isNull(_ key: String) -> Bool { object[key] is NSNull }

    func int(_ key: String) throws -> Int {
        guard let number = object[key] as? NSNumber, number.doubleValue == Double(number.intValue) else {
            throw Surprise("\(key) is no whole number in \(text)")
        }
        return number.intValue
    }

    func double(_ key: String) throws -> Double {
        guard let number = object[key] as? NSNumber else { throw Surprise("\(key) is no number in \(text)") }
        return number.doubleValue
    }

    func nested(_ key: String) throws -> Line {
        guard let inner = object[key] as? [String: Any] else { throw Surprise("\(key) is no object in \(text)") }
        let data = try JSONSerialization.data(withJSONObject: inner)
        return try Line(String(decoding: data, as: UTF8.self))
    }

    /// What became of every picture that a sender took: acknowledged, dropped, failed and lost.
    func accounted() throws -> Int {
        let dropped = try nested("dropped")
        return try int("acknowledged") + dropped.int("replaced") + dropped.int("deadline") + dropped.int("rate")
            + dropped.int("disconnected") + int("failed") + int("lost")
    }
}

extension Program {
    /// The whole lines so far; every one must be an object.
    func lines(_ text: String) throws -> [Line] {
        let whole = text.lastIndex(of: "\n").map { text[..<$0] } ?? ""
        return try whole.split(separator: "\n", omittingEmptySubsequences: false).filter {
            !(whole.isEmpty && $0.isEmpty)
        }
        .map { try Line(String($0)) }
    }

    var lines: [Line] { get throws { try lines(output) } }

    /// The port that a program with `--json` listens on.
    func port() throws -> Int {
        try find("the listening line") { text in
            try lines(text).first { $0.event == "listening" }.map { try $0.int("port") }
        }
    }

    /// Waits for a line.
    @discardableResult
    func line(_ what: String, _ isIt: (Line) throws -> Bool) throws -> Line {
        try find(what) { text in try lines(text).first(where: isIt) }
    }

    /// Waits until a second's line shows that at least one frame came through.
    func streams(_ key: String) throws {
        try line("a second with frames") { line in
            try line.event == "progress" && line.int(key) > 0
        }
    }

    /// The last line: the total.
    func total() throws -> Line {
        guard let last = try lines.last, last.event == "summary", last.scope == "total" else {
            throw Surprise("the last line is no total: \(output)\(complaints)")
        }
        return last
    }

    /// The summaries of the connections.
    func connections() throws -> [Line] {
        try lines.filter { $0.event == "summary" && $0.scope == "connection" }
    }
}
