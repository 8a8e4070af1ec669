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
    let wanted: Double
    /// Whether the ratio must not be above `wanted`, instead of not below.
    let isCeiling: Bool

    init(
        _ name: String, unit: String, _ pairs: [(ours: Double, reference: Double)], wanted: Double,
        isCeiling: Bool = false
    ) {
        self.name = name
        self.unit = unit
        ours = median(pairs.map(\.ours))
        reference = median(pairs.map(\.reference))
        self.pairs = pairs.map { $0.ours / $0.reference }
        ratio = median(self.pairs)
        self.wanted = wanted
        self.isCeiling = isCeiling
    }

    func holds(slack: Double = 1) -> Bool { isCeiling ? ratio <= wanted / slack : ratio >= wanted * slack }

    static let head = """
        | criterion | unit | ours | reference | ratio (of each pair) | wanted | verdict |
        | --- | --- | --- | --- | --- | --- | --- |
        """

    var row: String {
        let each = pairs.sorted().map { places($0, 2) }.joined(separator: " ")
        return
            "| \(name) | \(unit) | \(places(ours)) | \(places(reference)) | **\(places(ratio, 2))** (\(each)) | \(isCeiling ? "<=" : ">=") \(places(wanted, 2)) | \(holds() ? "met" : "missed") |"
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
