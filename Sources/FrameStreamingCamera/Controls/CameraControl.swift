internal import FrameStreamingCore

/// Something that can be set at a camera: brightness, exposure, ...
public struct CameraControl: Hashable, Sendable {
    /// How a control's value is meant. The set is open: a `switch` needs a `default`.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String { case integer, boolean, menu, button }
        private let value: Value

        /// A number in a range.
        public static let integer = Kind(value: .integer)
        /// 0 or 1.
        public static let boolean = Kind(value: .boolean)
        /// The index of a menu's item.
        public static let menu = Kind(value: .menu)
        /// Something that happens when it is set; it has no value.
        public static let button = Kind(value: .button)

        /// The kind's name.
        public var description: String { value.rawValue }
    }

    /// An item of a menu.
    public struct MenuItem: Hashable, Sendable {
        /// The value that chooses it.
        public let index: Int
        /// Its name, or its number where it is a menu of numbers.
        public let name: String
    }

    /// V4L2_CID_...
    public let id: UInt32
    /// As v4l2-ctl writes it: `white_balance_automatic`.
    public let name: String
    /// As the driver writes it: `White Balance, Automatic`.
    public let title: String
    /// How its value is meant.
    public let kind: Kind
    /// The least value.
    public let minimum: Int
    /// The greatest value.
    public let maximum: Int
    /// Values are so far apart.
    public let step: Int
    /// The driver's own.
    public let defaultValue: Int
    /// What it stands at; nil where it cannot be read (a button).
    public let value: Int?
    /// The items of a menu.
    public let items: [MenuItem]
    /// It can be looked at only.
    public let isReadOnly: Bool
    /// An automatic mode has it in its hands at the moment.
    public let isInactive: Bool

    /// `White Balance Temperature, Auto` -> `white_balance_temperature_auto`.
    static func name(of title: String) -> String {
        var result = ""
        for character in title.lowercased() {
            if character.isASCII, character.isLetter || character.isNumber {
                result.append(character)
            } else if !result.hasSuffix("_"), !result.isEmpty {
                result.append("_")
            }
        }
        while result.hasSuffix("_") { result.removeLast() }
        return result
    }
}

/// A control to set, and what to.
public struct CameraControlSetting: Hashable, Sendable, CustomStringConvertible {
    /// The control's name, as ``CameraControl/name``.
    public var name: String
    /// A number, `on` and `off` (`true`, `false`), or the name of a menu's item. A button takes anything.
    public var value: String

    /// A control by its name.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }

    /// `NAME=VALUE`; nil where it is not of that form.
    public init?(_ text: String) {
        guard let sign = text.firstIndex(of: "="), sign != text.startIndex, text.index(after: sign) != text.endIndex
        else { return nil }
        name = String(text[..<sign])
        value = String(text[text.index(after: sign)...])
    }

    /// `NAME=VALUE`.
    public var description: String { "\(name)=\(value)" }
}
