import ArgumentParser
import FoundationEssentials

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measures everything and prints a table.")

    @Option(help: "The directory of frame-send and frame-receive, built for release.") var examples: String
    @Option(help: "The directory of this program.") var programs: String
    @Option(help: "A Y4M clip, 4:2:0, sides multiples of 16.") var clip: String
    @Option(help: "The script with the tutorial's loop.") var tutorial: String
    @Option(help: "A Python that has OpenCV; the tutorial's loop is left out without.") var python: String?
    @Option(help: "What is measured: pipeline, tutorial, transport, camera; all unless given.") var only: [String] = []
    @Option(help: "Pairs of runs.") var pairs: Int?
    @Option(help: "Frames of a run.") var frames: Int?
    @Flag(help: "300 frames, two pairs, and wide bounds: for a machine that has other work too.") var quick = false
    @Option(help: "Write the figures to a file.") var json: String?
    @Option(help: "Write the table between the markers of this page.") var docs: String?
    @Option(help: "The commit that was measured.") var commit = "unknown"

    func run() throws {
        let measurements = Measurements(
            examples: examples, programs: programs, python: python, tutorial: tutorial, clip: clip,
            frames: frames ?? (quick ? 300 : 3000), pairs: pairs ?? (quick ? 2 : 5))
        let report = Report(
            commit: commit, frames: measurements.frames, pairs: measurements.pairs,
            criteria: try criteria(measurements))
        print(report.markdown)
        if let json { try report.json.write(to: URL(filePath: json)) }
        if let docs { try report.update(page: docs) }
        let missed = report.criteria.filter { quick ? !$0.holdsOnce(slack: 0.7) : !$0.holds }
        guard missed.isEmpty else {
            note("missed\(quick ? ", even with a third of slack" : ""): \(missed.map(\.name).joined(separator: "; "))")
            throw ExitCode.failure
        }
    }

    private func criteria(_ measurements: Measurements) throws -> [Criterion] {
        func wants(_ name: String) -> Bool { only.isEmpty || only.contains(name) }
        var result: [Criterion] = []
        if wants("pipeline") { result += try measurements.pipeline() }
        if wants("tutorial") { result += try measurements.stopAndWait() }
        if wants("transport") { result += try measurements.transport() }
        if wants("camera") { result += try measurements.camera() }
        return result
    }
}
