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
    @Flag(help: "1000 frames, two pairs, up to three rounds, wide bounds: for a machine that has other work too.")
    var quick = false
    @Option(help: "Write the figures to a file.") var json: String?
    @Option(help: "Write the table between the markers of this page.") var docs: String?
    @Option(help: "The commit that was measured.") var commit = "unknown"

    func run() throws {
        let measurements = Measurements(
            examples: examples, programs: programs, python: python, tutorial: tutorial, clip: clip,
            frames: frames ?? (quick ? 1000 : 3000))
        let judgement = quick ? Judgement.best(slack: 0.7) : .median
        let pairs = pairs ?? (quick ? 2 : 5)
        var criteria: [Criterion] = []
        for var group in groups(measurements) {
            try group.fill(pairs: pairs, rounds: quick ? 3 : 1, judgement)
            criteria += group.criteria
        }
        let report = Report(
            commit: commit, frames: measurements.frames, pairs: pairs, judgement: judgement, criteria: criteria)
        print(report.markdown)
        if let json { try report.json.write(to: URL(filePath: json)) }
        if let docs { try report.update(page: docs) }
        let missed = criteria.filter { !$0.holds(judgement) }
        guard missed.isEmpty else {
            note(
                "missed\(quick ? " in every pair of three rounds" : ""): \(missed.map(\.name).joined(separator: "; "))")
            throw ExitCode.failure
        }
    }

    private func groups(_ measurements: Measurements) -> [RowGroup] {
        func wants(_ name: String) -> Bool { only.isEmpty || only.contains(name) }
        var result: [RowGroup] = []
        if wants("pipeline") { result.append(measurements.pipeline) }
        if wants("tutorial"), let group = measurements.stopAndWait { result.append(group) }
        if wants("transport") { result += measurements.transport }
        if wants("camera") { result += measurements.camera }
        return result
    }
}
