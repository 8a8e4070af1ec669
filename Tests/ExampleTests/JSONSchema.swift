import Foundation

/// Docs/JSON.schema.json, as far as it uses JSON Schema.
struct JSONSchema {
    private let root: [String: Any]
    /// The names of the definitions, and of the events, that the schema lists.
    let definitions: [String: [String: Any]]

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Docs")

    init() throws {
        let data = try Data(contentsOf: Self.folder.appendingPathComponent("JSON.schema.json"))
        guard let root = try JSONSerialization.jsonObject(with: data) as? [String: Any],
            let definitions = root["$defs"] as? [String: [String: Any]]
        else { throw Surprise("the schema is no object with $defs") }
        self.root = root
        self.definitions = definitions
    }

    /// The names of the events that a definition allows; empty for parts of lines.
    static func events(of definition: [String: Any]) -> [String] {
        guard let event = (definition["properties"] as? [String: [String: Any]])?["event"] else { return [] }
        return (event["const"] as? String).map { [$0] } ?? event["enum"] as? [String] ?? []
    }

    /// Every event of the schema.
    var events: Set<String> { Set(definitions.values.flatMap(Self.events)) }

    /// Why a line is not what the schema says; empty = it is.
    func faults(of line: String) throws -> [String] {
        let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
        return faults(of: value, root, at: "line")
    }

    private func faults(of value: Any, _ schema: [String: Any], at place: String) -> [String] {
        if let reference = schema["$ref"] as? String {
            guard let target = definitions[String(reference.dropFirst("#/$defs/".count))] else {
                return ["\(place): \(reference) is not defined"]
            }
            return faults(of: value, target, at: place)
        }
        if let choices = schema["oneOf"] as? [[String: Any]] {
            let outcomes = choices.map { faults(of: value, $0, at: place) }
            if outcomes.count(where: \.isEmpty) == 1 { return [] }
            // The choice with the fewest faults is the one that was meant.
            return outcomes.min { $0.count < $1.count } ?? []
        }
        let known: Set = [
            "type", "const", "enum", "properties", "required", "additionalProperties", "minimum", "maximum", "pattern",
            "items",
        ]
        let unknown = Set(schema.keys).subtracting(known).map { "\(place): the schema's \($0) is not checked" }
        return unknown + typeFaults(value, schema, place) + valueFaults(value, schema, place)
            + memberFaults(value, schema, place)
    }

    private func typeFaults(_ value: Any, _ schema: [String: Any], _ place: String) -> [String] {
        let types = schema["type"] as? [String] ?? (schema["type"] as? String).map { [$0] } ?? []
        return types.isEmpty || types.contains { isOf($0, value) } ? [] : ["\(place): \(value) is not \(types)"]
    }

    private func isOf(_ type: String, _ value: Any) -> Bool {
        switch type {
        case "null": value is NSNull
        case "string": value is String
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "boolean": value is Bool
        case "number": value is NSNumber
        case "integer": (value as? NSNumber).map { $0.doubleValue == $0.doubleValue.rounded() } ?? false
        default: false
        }
    }

    private func valueFaults(_ value: Any, _ schema: [String: Any], _ place: String) -> [String] {
        var faults: [String] = []
        let allowed = (schema["enum"] as? [Any] ?? []) + (schema["const"].map { [$0] } ?? [])
        if !allowed.isEmpty, !allowed.contains(where: { Self.isSame($0, value) }) {
            faults.append("\(place): \(value) is none of \(allowed)")
        }
        if let number = (value as? NSNumber)?.doubleValue {
            if let least = (schema["minimum"] as? NSNumber)?.doubleValue, number < least {
                faults.append("\(place): \(number) is below \(least)")
            }
            if let most = (schema["maximum"] as? NSNumber)?.doubleValue, number > most {
                faults.append("\(place): \(number) is above \(most)")
            }
        }
        if let pattern = schema["pattern"] as? String, let text = value as? String,
            (try? Regex(pattern).firstMatch(in: text)) == nil
        {
            faults.append("\(place): \(text) does not match \(pattern)")
        }
        return faults
    }

    private static func isSame(_ left: Any, _ right: Any) -> Bool {
        left is NSNull && right is NSNull || (left as? String).map { $0 == right as? String } ?? false
    }

    private func memberFaults(_ value: Any, _ schema: [String: Any], _ place: String) -> [String] {
        if let values = value as? [Any], let items = schema["items"] as? [String: Any] {
            return values.flatMap { self.faults(of: $0, items, at: "\(place)[]") }
        }
        guard let object = value as? [String: Any] else { return [] }
        let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
        var faults = (schema["required"] as? [String] ?? []).filter { object[$0] == nil }.map {
            "\(place): \($0) is missing"
        }
        for (key, member) in object {
            if let property = properties[key] {
                faults += self.faults(of: member, property, at: "\(place).\(key)")
            } else if schema["additionalProperties"] as? Bool == false {
                faults.append("\(place): \(key) is not in the schema")
            }
        }
        return faults
    }
}
