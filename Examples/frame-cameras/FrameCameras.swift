import ArgumentParser
import ExampleSupport
import FrameStreaming

/// Lists the cameras with their formats and controls.
@main
struct FrameCameras: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frame-cameras",
        abstract: "Lists cameras with their stable paths, formats, sizes, rates and controls.",
        discussion: """
            All cameras: frame-cameras
            One camera:  frame-cameras /dev/video0
            Output:      frame-cameras --json
            """, version: version)

    static func main() { start(Self.self, examples: nil) }

    @Argument(
        help: ArgumentHelp("The path of one camera. (default: all cameras)", valueName: "path"),
        completion: .custom { _, _, _ in cameraPaths() })
    var camera: String?

    @Flag(help: "Print one JSON object a line and camera on standard output, for programs.")
    var json = false

    func run() throws {
        if json { beginJSON() }
        do {
            try list()
        } catch let error as FrameStreamingError {
            printError(error.description, error)
            throw ExitCode.failure
        }
    }

    private func list() throws {
        let cameras = try camera.map { [try CameraDevice(path: $0)] } ?? CameraDevice.all()
        for camera in cameras {
            if json { printJSON(CameraLine(camera)) } else { describe(camera).forEach { printLine($0) } }
        }
        if cameras.isEmpty, !json {
            printLine("no camera: is it plugged in, and the user in the group video?")
        }
    }
}
