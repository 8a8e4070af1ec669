/// What to do with a JPEG without decoding it: its coefficients are moved, so nothing is lost.
///
/// The operation comes first, then the crop. A JPEG consists of blocks (MCUs) of 8x8 pixels for 4:4:4 and gray, 16x8
/// for 4:2:2 and 16x16 for 4:2:0, and only whole ones can be turned round: ``edges`` says what to do where a side
/// that has to be is no multiple of that.
public struct JPEGTransform: Hashable, Sendable {
    /// How the picture is turned.
    public struct Operation: Hashable, Sendable, CustomStringConvertible {
        enum Value: String {
            case none, flipHorizontally, flipVertically, transpose, transverse, rotate90, rotate180, rotate270
        }
        let value: Value

        /// As it is.
        public static let none = Operation(value: .none)
        /// Left becomes right.
        public static let flipHorizontally = Operation(value: .flipHorizontally)
        /// Top becomes bottom.
        public static let flipVertically = Operation(value: .flipVertically)
        /// Mirrored at the diagonal from upper left to lower right: width and height change places.
        public static let transpose = Operation(value: .transpose)
        /// Mirrored at the diagonal from upper right to lower left: width and height change places.
        public static let transverse = Operation(value: .transverse)
        /// A quarter turn clockwise: width and height change places.
        public static let rotate90 = Operation(value: .rotate90)
        /// Half a turn.
        public static let rotate180 = Operation(value: .rotate180)
        /// A quarter turn counter-clockwise: width and height change places.
        public static let rotate270 = Operation(value: .rotate270)

        /// Every one.
        public static let all: [Operation] = [
            .none, .flipHorizontally, .flipVertically, .transpose, .transverse, .rotate90, .rotate180, .rotate270,
        ]

        /// The operation's name.
        public var description: String { value.rawValue }

        /// Whether blocks at the right edge of the picture before the operation come to lie elsewhere than at a right
        /// or lower edge.
        var movesRightEdge: Bool {
            [.flipHorizontally, .transverse, .rotate180, .rotate270].contains(value)
        }
        /// The same of the lower edge.
        var movesLowerEdge: Bool {
            [.flipVertically, .transverse, .rotate180, .rotate90].contains(value)
        }
    }

    /// What to do with incomplete blocks that an operation would move away from the edge where they have to be.
    public struct Edges: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String { case exact, trim }
        private let value: Value

        /// Throw `invalidArgument`: either every pixel is in the result, or there is none.
        public static let exact = Edges(value: .exact)
        /// Drop them: up to 15 columns or lines of the picture are lost.
        public static let trim = Edges(value: .trim)

        /// The name.
        public var description: String { value.rawValue }
    }

    /// A part of a picture, in pixels.
    public struct Region: Hashable, Sendable {
        /// Columns to the left of it: a multiple of the block's width.
        public var x: Int
        /// Lines above it: a multiple of the block's height.
        public var y: Int
        /// Pixels across.
        public var width: Int
        /// Pixels down.
        public var height: Int

        /// A part with its upper left corner and size.
        public init(x: Int, y: Int, width: Int, height: Int) {
            self.x = x
            self.y = y
            self.width = width
            self.height = height
        }
    }

    /// How the picture is turned.
    public var operation: Operation
    /// The part of the turned picture that is kept; nil = all.
    public var crop: Region?
    /// Whether its colour is dropped.
    public var dropsColour: Bool
    /// What to do with incomplete blocks.
    public var edges: Edges
    /// Whether EXIF data, colour profile and comments are copied. An EXIF orientation then still tells of the picture
    /// before.
    public var keepsMetadata: Bool

    /// A transform.
    public init(
        _ operation: Operation = .none, crop: Region? = nil, dropsColour: Bool = false, edges: Edges = .exact,
        keepsMetadata: Bool = true
    ) {
        self.operation = operation
        self.crop = crop
        self.dropsColour = dropsColour
        self.edges = edges
        self.keepsMetadata = keepsMetadata
    }
}
