internal import FrameStreamingCore

/// A setting of a camera, such as brightness or exposure.
public struct CameraControl: Hashable, Sendable {
    /// The type of a control's value. V4L2 has more types, which a later version may add.
    @nonexhaustive public enum Kind: String, Hashable, Sendable, CustomStringConvertible {
        /// A number in a range.
        case integer
        /// 0 or 1.
        case boolean
        /// The index of a menu's item.
        case menu
        /// An action that setting the control triggers. It has no value.
        case button

        /// The kind's name.
        public var description: String { rawValue }
    }

    /// An item of a menu.
    public struct MenuItem: Hashable, Sendable {
        /// The value that selects the item.
        public let index: Int
        /// The item's name; in a menu of numbers, the number.
        public let name: String
    }

    /// The control's number, a `V4L2_CID_` constant.
    public let id: UInt32
    /// The name as v4l2-ctl writes it: `white_balance_automatic`.
    public let name: String
    /// The name as the driver writes it: `White Balance, Automatic`. The device chose it.
    public let title: String
    /// The type of the value.
    public let kind: Kind
    /// The smallest value.
    public let minimum: Int
    /// The largest value.
    public let maximum: Int
    /// The distance between two values.
    public let step: Int
    /// The value that the driver starts with.
    public let defaultValue: Int
    /// The value now; nil for a control without a readable value, such as a button.
    public let value: Int?
    /// The items of a menu; empty for other kinds.
    public let items: [MenuItem]
    /// Whether the control can be read but not set.
    public let isReadOnly: Bool
    /// Whether an automatic mode sets the control at the moment.
    public let isInactive: Bool

    /// Turns a title into a name: `White Balance, Auto` becomes `white_balance_auto`.
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
