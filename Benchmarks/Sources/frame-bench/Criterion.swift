/// What a row of the table asks, before anything was measured.
struct Question {
    /// What is measured, and beside what.
    let name: String
    let unit: String
    /// Nil: no criterion, only worth knowing.
    let wanted: Double?
    /// Whether the ratio must not be above `wanted`, instead of not below.
    let isCeiling: Bool
    /// Whether it is memory and not time: what else the machine does hardly
    /// changes it, and little slack is given.
    let isSteady: Bool

    init(_ name: String, unit: String, wanted: Double?, isCeiling: Bool = false, isSteady: Bool = false) {
        self.name = name
        self.unit = unit
        self.wanted = wanted
        self.isCeiling = isCeiling
        self.isSteady = isSteady
    }
}

/// Ours and the reference, measured one directly after the other.
typealias Pair = (ours: Double, reference: Double)

/// By what a row's pairs are judged.
enum Judgement {
    /// Their median, against what was wanted: for a machine that has nothing else to do.
    case median
    /// The best of them, with `slack` (below 1): what else the machine does only ever makes a pair
    /// worse, and seldom all of them, while a regression is in every one.
    case best(slack: Double)
}

/// A row of the table: what was measured, beside what it must not fall short of.
struct Criterion: Encodable {
    let name: String
    /// What the medians are of, and their unit.
    let unit: String
    let ours: Double
    let reference: Double
    /// The median of the pairs' own ratios: what the machine did during a pair, it did to both.
    let ratio: Double
    let pairs: [Double]
    /// Nil: no criterion, only worth knowing.
    let wanted: Double?
    /// Whether the ratio must not be above `wanted`, instead of not below.
    let isCeiling: Bool
    private let isSteady: Bool

    /// Pairs without a figure are left out; with none left nothing is shown to hold.
    init(_ question: Question, _ pairs: [Pair]) {
        let pairs = pairs.filter { $0.ours.isFinite && $0.reference.isFinite }
        name = question.name
        unit = question.unit
        wanted = question.wanted
        isCeiling = question.isCeiling
        isSteady = question.isSteady
        ours = median(pairs.map(\.ours))
        reference = median(pairs.map(\.reference))
        self.pairs = pairs.map { $0.ours / $0.reference }
        ratio = median(self.pairs)
    }

    private enum CodingKeys: CodingKey { case name, unit, ours, reference, ratio, pairs, wanted, isCeiling }

    /// What the best pair must reach.
    private func bound(_ wanted: Double, slack: Double) -> Double {
        let slack = isSteady ? max(slack, 0.9) : slack
        return isCeiling ? wanted / slack : wanted * slack
    }

    func holds(_ judgement: Judgement) -> Bool {
        guard let wanted else { return true }
        switch judgement {
        case .median:
            return isCeiling ? ratio <= wanted : ratio >= wanted
        case .best(let slack):
            let bound = bound(wanted, slack: slack)
            return pairs.contains { isCeiling ? $0 <= bound : $0 >= bound }
        }
    }

    static let head = """
        | criterion | unit | ours | reference | ratio (of each pair) | wanted | verdict |
        | --- | --- | --- | --- | --- | --- | --- |
        """

    func row(_ judgement: Judgement) -> String {
        let each = pairs.sorted().map { places($0, 2) }.joined(separator: " ")
        var words = wanted.map { "\(isCeiling ? "<=" : ">=") \(places($0, 2))" } ?? "-"
        if case .best(let slack) = judgement, let wanted {
            words += ", best pair \(places(bound(wanted, slack: slack), 2))"
        }
        let verdict = wanted == nil ? "for comparison" : holds(judgement) ? "met" : "missed"
        return
            "| \(name) | \(unit) | \(places(ours)) | \(places(reference)) | **\(places(ratio, 2))** (\(each)) | \(words) | \(verdict) |"
    }
}

/// A number for people: `digits` places, or as many as make three figures.
func places(_ value: Double, _ digits: Int? = nil) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    let digits = digits ?? (abs(value) >= 100 ? 0 : abs(value) >= 10 ? 1 : 2)
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int64((abs(value) * scale).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(scaled)" }
    let fraction = String(scaled % Int64(scale))
    return
        "\(sign)\(scaled / Int64(scale)).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
}
