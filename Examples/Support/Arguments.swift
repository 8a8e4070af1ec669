// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
public import ArgumentParser
public import FrameStreaming
public import Logging

// The extensions are public because the types are, but only the examples import this module. What
// the command lines of the examples have in common: how a size, a rate or a format is written.

/// `WIDTHxHEIGHT`.
package struct SizeArgument: ExpressibleByArgument, Sendable {
    package let width: Int
    package let height: Int

    package init?(argument: String) {
        let parts = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let width = Int(parts[0]), let height = Int(parts[1]),
            (1...FrameFormat.maximumSide).contains(width), (1...FrameFormat.maximumSide).contains(height)
        else { return nil }
        self.width = width
        self.height = height
    }
}

/// Refuses an address that is not written as one, before anything else is tried.
package func checkAddress(connect: String?, listen: String?) throws {
    do throws(FrameStreamingError) {
        if let connect { _ = try NetworkAddress(connect, defaultHost: nil) }
        if let listen { _ = try NetworkAddress(listen, defaultHost: "127.0.0.1") }
    } catch {
        throw ValidationError(error.description)
    }
}

/// What a shell offers for a camera's path.
@Sendable package func cameraPaths() -> [String] { CameraDevice.all().flatMap { [$0.path] + $0.stablePaths } }

/// How pictures are turned: a rotation clockwise, or upright by what the camera says.
package struct RotationArgument: ExpressibleByArgument, Sendable {
    package let turn: PictureTurn

    package init?(argument: String) {
        guard let turn = argument == "auto" ? PictureTurn.none : Int(argument).flatMap(PictureTurn.init(clockwise:)),
            argument != "0"
        else { return nil }
        self.turn = turn
    }

    package static var allValueStrings: [String] { ["90", "180", "270", "auto"] }
    package static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}

/// A number of frames, or `adaptive`.
package enum WindowArgument: ExpressibleByArgument, Sendable {
    case fixed(Int)
    case adaptive

    package init?(argument: String) {
        if argument == "adaptive" {
            self = .adaptive
        } else if let frames = Int(argument), frames >= 1 {
            self = .fixed(frames)
        } else {
            return nil
        }
    }
}

extension PixelFormat: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public static var allValueStrings: [String] { allNamed.map { $0.description.prefix { $0 != " " }.lowercased() } }
    public static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}

extension ChromaSubsampling: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public static var allValueStrings: [String] { all.map(\.description) }
    public static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}

extension ColorRange: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public static var allValueStrings: [String] { ["limited", "full"] }
    public static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}

extension FrameRate: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension Pacing: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public static var allValueStrings: [String] { ["realtime", "max"] }
    public static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}

extension DeliveryPolicy: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public static var allValueStrings: [String] { ["latest", "reliable", "deadline:MS (1 to 3600000)"] }
    public static var defaultCompletionKind: CompletionKind { .list(["latest", "reliable", "deadline:"]) }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

extension CameraControlSetting: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
