/// A way to turn or mirror a picture that keeps all of its pixels. There are eight.
public enum PictureTurn: String, Sendable, CustomStringConvertible {
    /// Unchanged.
    case none
    /// Left becomes right.
    case flipHorizontally
    /// Top becomes bottom.
    case flipVertically
    /// Mirrored at the diagonal from upper left to lower right: width and height change places.
    case transpose
    /// Mirrored at the diagonal from upper right to lower left: width and height change places.
    case transverse
    /// A quarter turn clockwise: width and height change places.
    case rotate90
    /// Half a turn.
    case rotate180
    /// A quarter turn counter-clockwise: width and height change places.
    case rotate270

    /// Every turn, in the order of the EXIF orientations 1...8 that they make upright.
    public static let all: [PictureTurn] = [
        .none, .flipHorizontally, .rotate180, .flipVertically, .transpose, .rotate90, .transverse, .rotate270,
    ]

    /// The rotation by this many degrees clockwise; nil unless it is 0, 90, 180 or 270.
    public init?(clockwise degrees: Int) {
        switch degrees {
        case 0: self = .none
        case 90: self = .rotate90
        case 180: self = .rotate180
        case 270: self = .rotate270
        default: return nil
        }
    }

    /// The turn that makes a picture with this EXIF orientation upright (CIPA DC-008, tag 0x0112);
    /// nil unless it is 1...8.
    public init?(exifOrientation: Int) {
        guard (1...8).contains(exifOrientation) else { return nil }
        self = Self.all[exifOrientation - 1]
    }

    /// The turn that has the effect of this one and `next` behind it.
    public func followed(by next: PictureTurn) -> PictureTurn {
        let (first, second) = (steps, next.steps)
        // The second transposition exchanges the axes that the first turn has mirrored.
        let mirrored =
            second.transposes ? (x: first.mirrorsY, y: first.mirrorsX) : (x: first.mirrorsX, y: first.mirrorsY)
        let wanted = Steps(
            transposes: first.transposes != second.transposes, mirrorsX: mirrored.x != second.mirrorsX,
            mirrorsY: mirrored.y != second.mirrorsY)
        return Self.all.first { $0.steps == wanted } ?? .none
    }

    /// Whether width and height change places.
    public var swapsSides: Bool { steps.transposes }

    /// Every turn is these steps, in this order.
    struct Steps: Equatable {
        var transposes: Bool
        var mirrorsX: Bool
        var mirrorsY: Bool
    }

    var steps: Steps {
        switch self {
        case .none: Steps(transposes: false, mirrorsX: false, mirrorsY: false)
        case .flipHorizontally: Steps(transposes: false, mirrorsX: true, mirrorsY: false)
        case .flipVertically: Steps(transposes: false, mirrorsX: false, mirrorsY: true)
        case .rotate180: Steps(transposes: false, mirrorsX: true, mirrorsY: true)
        case .transpose: Steps(transposes: true, mirrorsX: false, mirrorsY: false)
        case .rotate90: Steps(transposes: true, mirrorsX: true, mirrorsY: false)
        case .rotate270: Steps(transposes: true, mirrorsX: false, mirrorsY: true)
        case .transverse: Steps(transposes: true, mirrorsX: true, mirrorsY: true)
        }
    }

    /// The name of the turn.
    public var description: String { rawValue }
}
