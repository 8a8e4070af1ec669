import ExampleSupport
import FrameStreaming

/// A camera for people: a line for itself, for each format and for each
/// control. The names are the device's.
func describe(_ camera: CameraDevice) -> [String] {
    var lines = ["\(camera.path): \(camera.card) (\(camera.driver), \(camera.busInfo))"]
    lines += camera.stablePaths.map { "  also \($0)" }
    for format in camera.formats {
        let ours =
            format.pixelFormat.map { $0.fourcc == format.native.fourcc ? "" : ", as \($0)" } ?? ", not read natively"
        lines.append("  \(format.native.fourcc)  \(format.driverDescription)\(ours)")
        for mode in format.modes {
            let rates = mode.rates.map { fixed($0.framesPerSecond, $0.denominator == 1 ? 0 : 2) }
            lines.append("    \(mode.size)" + (rates.isEmpty ? "" : " at " + rates.joined(separator: ", ")))
        }
    }
    for control in camera.controls {
        var line = "  \(control.name): \(control.kind)"
        if control.kind == .integer { line += " \(control.minimum)...\(control.maximum)" }
        if let value = control.value { line += " = \(value)" }
        if !control.items.isEmpty {
            line += " (" + control.items.map { "\($0.index) \($0.name)" }.joined(separator: ", ") + ")"
        }
        if control.isReadOnly { line += ", read only" }
        if control.isInactive { line += ", inactive" }
        lines.append(line)
    }
    return lines
}

/// The same for programs.
struct CameraLine: Encodable {
    struct Mode: Encodable {
        let size: String
        let rates: [String]
    }

    struct Format: Encodable {
        let fourcc: String
        let name: String?
        let description: String
        let modes: [Mode]
    }

    struct Control: Encodable {
        let name: String
        let type: String
        let minimum: Int
        let maximum: Int
        let `default`: Int
        let value: Int?
        let items: [String: String]
        let readOnly: Bool
        let inactive: Bool
    }

    let path: String
    let stablePaths: [String]
    let card: String
    let driver: String
    let bus: String
    let formats: [Format]
    let controls: [Control]

    init(_ camera: CameraDevice) {
        path = camera.path
        stablePaths = camera.stablePaths
        card = camera.card
        driver = camera.driver
        bus = camera.busInfo
        formats = camera.formats.map { format in
            Format(
                fourcc: format.native.fourcc, name: format.pixelFormat?.description,
                description: format.driverDescription,
                modes: format.modes.map { Mode(size: "\($0.size)", rates: $0.rates.map(\.description)) })
        }
        controls = camera.controls.map { control in
            Control(
                name: control.name, type: "\(control.kind)", minimum: control.minimum, maximum: control.maximum,
                default: control.defaultValue, value: control.value,
                items: Dictionary(
                    control.items.map { ("\($0.index)", $0.name) }, uniquingKeysWith: { first, _ in first }),
                readOnly: control.isReadOnly, inactive: control.isInactive)
        }
    }
}
