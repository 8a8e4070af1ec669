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
