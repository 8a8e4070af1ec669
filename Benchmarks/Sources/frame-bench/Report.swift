import FoundationEssentials

/// The table with where and when it was measured.
struct Report: Encodable {
    let date = Date.now.formatted(.iso8601.year().month().day())
    let commit: String
    let machine = Report.machine()
    let frames: Int
    let pairs: Int
    let judgement: Judgement
    let criteria: [Criterion]

    var markdown: String {
        """
        Measured on \(date) at \(commit), \(machine); runs of \(frames) frames, \(pairs) pairs, \(words).

        \(Criterion.head)
        \(criteria.map { $0.row(judgement) }.joined(separator: "\n"))
        """
    }

    private var words: String {
        switch judgement {
        case .median: "medians"
        case .best(let slack):
            "as many again, up to three rounds, where a row is missed; judged by the best pair with \(places(slack, 2)) of slack"
        }
    }

    private enum CodingKeys: CodingKey { case date, commit, machine, frames, pairs, criteria }

    /// Model and number of the processors.
    static func machine() -> String {
        let lines = (try? Data(contentsOf: URL(filePath: "/proc/cpuinfo"))).map {
            String(decoding: $0, as: UTF8.self).split(separator: "\n")
        }
        let models = (lines ?? []).filter { $0.hasPrefix("model name") }
        let model = models.first?.split(separator: ":").last?.drop { $0 == " " } ?? "an unknown processor"
        return "\(model), \(models.count) cores"
    }
}

/// Puts a table between the two markers of a page: `<!-- name -->` and `<!-- /name -->`.
func update(page path: String, _ name: String, _ table: String) throws {
    let url = URL(filePath: path)
    let text = String(decoding: try Data(contentsOf: url), as: UTF8.self)
    let (begin, end) = ("<!-- \(name) -->", "<!-- /\(name) -->")
    guard let first = text.firstRange(of: begin), let last = text.firstRange(of: end),
        first.upperBound <= last.lowerBound
    else { throw Failure("\(path) has no \(begin) ... \(end) to put the table into") }
    let page = "\(text[..<first.upperBound])\n\(table)\n\(text[last.lowerBound...])"
    try Data(page.utf8).write(to: url)
}

/// Both tables for programs.
struct Figures: Encodable {
    var pairs: Report?
    var links: RigReport?

    var json: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            // A row without any pair has no median.
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            return try encoder.encode(self)
        }
    }
}
