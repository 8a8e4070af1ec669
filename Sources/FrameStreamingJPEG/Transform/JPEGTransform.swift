public import FrameStreamingCore

/// Describes a lossless transform of a JPEG: it moves coefficients, and decodes nothing.
///
/// The operation comes first, then the crop. A JPEG consists of blocks (MCUs): 8x8 pixels for 4:4:4
/// and gray, 16x8 for 4:2:2, 16x16 for 4:2:0. Only whole blocks can be turned. ``edges`` decides
/// what happens to a side that would have to be a multiple of the block's and is not.
public struct JPEGTransform: Hashable, Sendable {
    /// What to do with incomplete blocks that an operation would move to a place where only whole
    /// blocks can be.
    public enum Edges: String, Sendable, CustomStringConvertible {
        /// Throws `invalidArgument`: the result has every pixel, or there is none.
        case exact
        /// Drops them: up to 15 columns or lines are lost.
        case trim

        /// The name of the choice.
        public var description: String { rawValue }
    }

    /// A part of a frame, in pixels.
    public struct Region: Hashable, Sendable {
        /// The columns to the left of the part: a multiple of the block's width.
        public var x: Int
        /// The lines above the part: a multiple of the block's height.
        public var y: Int
        /// Pixels across.
        public var width: Int
        /// Pixels down.
        public var height: Int

        /// Creates a part from its upper left corner and its size.
        public init(x: Int, y: Int, width: Int, height: Int) {
            self.x = x
            self.y = y
            self.width = width
            self.height = height
        }
    }

    /// How the frame is turned.
    public var operation: PictureTurn
    /// The part of the turned frame that is kept; nil = all.
    public var crop: Region?
    /// Whether colour is dropped.
    public var dropsColour: Bool
    /// What to do with incomplete blocks.
    public var edges: Edges
    /// Whether EXIF data, colour profile and comments are copied. An EXIF orientation then still
    /// describes the frame before.
    public var keepsMetadata: Bool

    /// Creates a transform.
    public init(
        _ operation: PictureTurn = .none, crop: Region? = nil, dropsColour: Bool = false, edges: Edges = .exact,
        keepsMetadata: Bool = true
    ) {
        self.operation = operation
        self.crop = crop
        self.dropsColour = dropsColour
        self.edges = edges
        self.keepsMetadata = keepsMetadata
    }
}

extension PictureTurn {
    /// Whether the turn moves blocks from the right edge to a place that is neither a right nor a
    /// lower edge.
    var movesRightEdge: Bool {
        [.flipHorizontally, .transverse, .rotate180, .rotate270].contains(self)
    }
    /// Whether the turn moves blocks from the lower edge to a place that is neither a right nor a
    /// lower edge.
    var movesLowerEdge: Bool {
        [.flipVertically, .transverse, .rotate180, .rotate90].contains(self)
    }
}
