import ArgumentParser
import ExampleSupport
import FrameStreaming
import Glibc

#if canImport(FrameStreamingTLS)
    import FrameStreamingTLS
#endif

/// Makes the key files with which the other programs encrypt their connections.
@main
struct FrameKey: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frame-key", abstract: "Makes keys for encrypted connections.",
        discussion: """
            A key:     frame-key generate camera.key
            Its use:   frame-receive --listen 0.0.0.0:5600 --key-file camera.key
                       frame-send --camera /dev/video0 --to receiver:5600 --key-file camera.key
            Limits:    frame-key generate door.key --identity door --role sender --streams door
            A look:    frame-key show door.key
            """, version: version)

    private static let examples = """
        Error: give generate or show, and a file
          frame-key generate camera.key
          frame-key show camera.key
          See 'frame-key --help' for all options.
        """

    static func main() { start(Self.self, examples: examples) }

    enum Action: String, ExpressibleByArgument, CaseIterable { case generate, show }

    @Argument(help: "generate: make a new key; show: print what a key is for, without the key itself.")
    var action: Action

    @Argument(
        help: ArgumentHelp(
            "The file. A new one is readable for its owner only, and an existing one is never overwritten.",
            valueName: "file"), completion: .file())
    var file: String

    @Option(help: ArgumentHelp("The key's name, which is no secret. (default: the file's name)", valueName: "name"))
    var identity: String?

    @Option(help: ArgumentHelp("Let a holder who connects only send, or only receive.", valueName: "sender|receiver"))
    var role: RoleArgument?

    @Option(
        help: ArgumentHelp("Let a holder who connects send or receive these streams only.", valueName: "name,name"))
    var streams: String?

    func validate() throws {
        #if !canImport(FrameStreamingTLS)
            throw ValidationError("this build has no TLS: build the package with its trait TLS, which is on by default")
        #else
            if action == .show, identity != nil || role != nil || streams != nil {
                throw ValidationError(
                    "--identity, --role and --streams are for generate: a key's limits are in its file")
            }
        #endif
    }

    func run() throws {
        #if canImport(FrameStreamingTLS)
            do throws(FrameStreamingError) {
                switch action {
                case .generate: try generate()
                case .show: printLine("\(file): \(try PreSharedKey(file: file))")
                }
            } catch {
                printError(error.description, error)
                throw ExitCode.failure
            }
        #endif
    }

    #if canImport(FrameStreamingTLS)
        private func generate() throws(FrameStreamingError) {
            let key = try PreSharedKey.generate(
                identity: identity ?? fileIdentity,
                role: role.map { $0 == .sender ? .sender : .receiver },
                streams: streams.map { names in
                    names.split(separator: ",", omittingEmptySubsequences: false).map { name in
                        String(name.drop { $0 == " " })
                    }
                })
            try key.write(newFile: file)
            printLine("\(file): \(key)")
            printLine(
                "copy it to the other side by a way that nobody else can read (scp), and give both --key-file \(file)")
        }

        /// The file's name without its folder and its ending.
        private var fileIdentity: String {
            let name = file.split(separator: "/").last ?? ""
            return String(name.hasSuffix(".key") ? name.dropLast(4) : name)
        }
    #endif
}

/// The side that a holder of a key may be.
enum RoleArgument: String, ExpressibleByArgument, CaseIterable { case sender, receiver }
