import FoundationEssentials
import Glibc

/// A line of JSON on standard output: how the processes of a measurement say what they measured.
func printFigures(_ figures: [String: Double]) {
    let words = figures.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
    print("{\(words.joined(separator: ","))}")
    fflush(nil)
}

/// The numbers of such a line, those of an object in it as `object.key`; keys with other values are
/// left out.
func numbers(in line: String) -> [String: Double] {
    guard let object = try? JSONDecoder().decode([String: Value].self, from: Data(line.utf8)) else { return [:] }
    var found: [String: Double] = [:]
    for (key, value) in object {
        found[key] = value.number
        for (inner, value) in value.numbers { found["\(key).\(inner)"] = value }
    }
    return found
}

private struct Value: Decodable {
    let number: Double?
    let numbers: [String: Double]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        number = try? container.decode(Double.self)
        numbers = (try? container.decode([String: Double].self)) ?? [:]
    }
}

/// Progress, on standard error.
func note(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = write(2, line, line.count)
}

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
