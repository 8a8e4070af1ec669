/// A control and the value to set it to.
public struct CameraControlSetting: Hashable, Sendable, CustomStringConvertible {
    /// The control's name, as in ``CameraControl/name``.
    public var name: String
    /// A number, `on` or `off` (`true`, `false`), or the name of a menu's item. A button accepts
    /// anything.
    public var value: String

    /// Makes a setting from a control's name and a value.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// Parses `NAME=VALUE`. Returns nil for text of another form.
    public init?(_ text: String) {
        guard let sign = text.firstIndex(of: "="), sign != text.startIndex, text.index(after: sign) != text.endIndex
        else { return nil }
        name = String(text[..<sign])
        value = String(text[text.index(after: sign)...])
    }

    /// The setting as `NAME=VALUE`.
    public var description: String { "\(name)=\(value)" }
}
