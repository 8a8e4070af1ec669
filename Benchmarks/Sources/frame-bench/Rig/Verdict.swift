/// A figure of the rig beside what it is to reach.
struct Verdict: Encodable {
    let name: String
    let unit: String
    let value: Double
    let wanted: Double
    /// What is asked on a machine that does other things too.
    let loose: Double
    /// Whether the figure must not be above, instead of not below.
    let isCeiling: Bool

    static func atMost(_ wanted: Double, loose: Double, _ name: String, _ unit: String, _ value: Double) -> Verdict {
        Verdict(name: name, unit: unit, value: value, wanted: wanted, loose: loose, isCeiling: true)
    }

    static func atLeast(_ wanted: Double, loose: Double, _ name: String, _ unit: String, _ value: Double) -> Verdict {
        Verdict(name: name, unit: unit, value: value, wanted: wanted, loose: loose, isCeiling: false)
    }

    /// A figure that is not a number is none.
    func holds(isLoose: Bool) -> Bool {
        let bound = isLoose ? loose : wanted
        return isCeiling ? value <= bound : value >= bound
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(name, forKey: .name)
        try values.encode(unit, forKey: .unit)
        if value.isFinite { try values.encode(value, forKey: .value) }
        try values.encode(wanted, forKey: .wanted)
        try values.encode(isCeiling, forKey: .isCeiling)
        try values.encode(holds(isLoose: false), forKey: .holds)
    }

    private enum CodingKeys: CodingKey { case name, unit, value, wanted, isCeiling, holds }

    static let head = """
        | criterion | unit | figure | wanted | verdict |
        | --- | --- | --- | --- | --- |
        """

    func row(isLoose: Bool) -> String {
        let sign = isCeiling ? "<=" : ">="
        let bound = "\(sign) \(places(wanted))\(isLoose ? ", here \(places(loose))" : "")"
        return "| \(name) | \(unit) | \(places(value)) | \(bound) | \(holds(isLoose: isLoose) ? "met" : "missed") |"
    }
}
