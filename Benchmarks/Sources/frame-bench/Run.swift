import ArgumentParser
import FoundationEssentials

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measures everything and prints a table.")

    @Option(help: "The directory of frame-send and frame-receive, built for release.") var examples: String
    @Option(help: "The directory of this program.") var programs: String
    @Option(help: "A Y4M clip, 4:2:0, sides multiples of 16.") var clip: String
    @Option(help: "The script with the tutorial's loop.") var tutorial: String
    @Option(help: "A Python that has OpenCV; the tutorial's loop is left out without.") var python: String?
    @Option(
        help:
            "What is measured: pipeline, tutorial, peers, transport, tls, camera, preview, links, many; all unless given."
    )
    var only: [String] = []
    @Option(help: "Pairs of runs.") var pairs: Int?
    @Option(help: "Frames of a run.") var frames: Int?
    @Flag(help: "1000 frames, two pairs, up to three rounds, wide bounds: for a machine that has other work too.")
    var quick = false
    @Option(help: "Write the figures to a file.") var json: String?
    @Option(help: "Write the table between the markers of this page.") var docs: String?
    @Option(help: "A JPEG of make-picture for the links.") var picture: String?
    @Option(help: "Two network namespaces with a cable between them: SENDER,RECEIVER.") var namespaces: String?
    @Option(help: "The script that streams with other programs.") var peers: String?
    @Option(help: "The script that carries a clip with other programs.") var throughput: String?
    @Option(help: "A Python that has GStreamer; its rows are left out without.") var gstreamer: String?
    @Flag(help: "FFmpeg is there to compare with.") var ffmpeg = false
    @Option(help: "Where logs go.") var work = "/tmp"
    @Option(help: "Seconds of a stream over a link.") var seconds: Double?
    @Option(
        name: .customLong("case"), help: "Of the links only those whose name contains this, ours alone; repeatable.")
    var cases: [String] = []
    @Option(help: "The commit that was measured.") var commit = "unknown"

    /// What makes up the second table.
    private static let ofTheRig = ["links", "many"]

    func run() throws {
        var figures = Figures()
        var missed: [String] = []
        if only.isEmpty || only.contains(where: { !Self.ofTheRig.contains($0) }) {
            let report = try comparePairs()
            print(report.markdown)
            figures.pairs = report
            missed += report.criteria.filter { !$0.holds(report.judgement) }.map(\.name)
            if let docs { try update(page: docs, "measured", report.markdown) }
        }
        if only.isEmpty || only.contains(where: { Self.ofTheRig.contains($0) }) {
            let report = try streamOverLinks()
            print("\n\(report.markdown)")
            figures.links = report
            missed += report.missed.map(\.name)
            if let docs { try update(page: docs, "links", report.markdown) }
        }
        if let json { try figures.json.write(to: URL(filePath: json)) }
        guard missed.isEmpty else {
            note("missed\(quick ? " in three rounds" : ""): \(missed.joined(separator: "; "))")
            throw ExitCode.failure
        }
    }

    private func comparePairs() throws -> Report {
        let measurements = Measurements(
            examples: examples, programs: programs, python: python, tutorial: tutorial, clip: clip,
            frames: frames ?? (quick ? 1000 : 3000))
        let judgement = quick ? Judgement.best(slack: 0.7) : .median
        let pairs = pairs ?? (quick ? 2 : 5)
        var criteria: [Criterion] = []
        for var group in try groups(measurements) {
            try group.fill(pairs: pairs, rounds: quick ? 3 : 1, judgement)
            criteria += group.criteria
        }
        return Report(
            commit: commit, frames: measurements.frames, pairs: pairs, judgement: judgement, criteria: criteria)
    }

    private func streamOverLinks() throws -> RigReport {
        guard let picture, let peers else { throw Failure("links need --picture and --peers: use Benchmarks/run") }
        let names = namespaces?.split(separator: ",").map(String.init)
        let rig = Rig(
            programs: programs, namespaces: names.map { Link.Namespaces(sender: $0[0], receiver: $0[1]) },
            jpeg: picture, work: work)
        let length = seconds ?? (quick ? 6 : 12)
        var report = RigReport(
            commit: commit,
            links: names == nil
                ? "no network namespaces to be had: rate and delay by a program on loopback"
                : "rate by tc tbf between two network namespaces, delay by a program",
            length: length, isLoose: quick)
        func wants(_ name: String) -> Bool { only.isEmpty || only.contains(name) }
        let others = Contender.peers(python: python, system: gstreamer, hasFFmpeg: ffmpeg, script: peers)
        if wants("links") {
            let all = Case.all(programs, clip: clip, length: length)
            let chosen = all.filter { item in cases.isEmpty || cases.contains { item.scene.name.contains($0) } }
            guard !chosen.isEmpty else {
                throw Failure("no such case: \(all.map { "\"\($0.scene.name)\"" }.joined(separator: ", "))")
            }
            if python == nil, gstreamer == nil { note("no Python: no negative control and no peers") }
            let control = (python ?? gstreamer).map { Contender.control(python: $0, script: peers) }
            try rig.measure(
                chosen, control: cases.isEmpty ? control : nil, peers: cases.isEmpty ? others : [], isQuick: quick,
                into: &report)
        }
        // Many streams are for the whole table: what they ask is too fine for a busy machine.
        if only.contains("many") || (only.isEmpty && !quick) {
            try rig.fanIn(clip: clip, frames: frames ?? 3000, into: &report)
            try rig.slowNeighbour(length: 6, pairs: pairs ?? 5, into: &report)
            try rig.fanOut(clip: clip, seconds: 5, pairs: pairs ?? 3, into: &report)
        }
        return report
    }

    /// What runs Benchmarks/Peers/throughput.py, and with which program.
    private var throughputPeers: [(name: String, command: [String])] {
        guard let throughput else { return [] }
        return [
            python.map { ("imageZMQ REQ/REP", [$0, throughput, "imagezmq"]) },
            gstreamer.map { ("GStreamer tcpclientsink", [$0, throughput, "gstreamer"]) },
            ffmpeg ? (gstreamer ?? python).map { ("FFmpeg mpjpeg", [$0, throughput, "ffmpeg"]) } : nil,
        ].compactMap(\.self)
    }

    private func groups(_ measurements: Measurements) throws -> [RowGroup] {
        func wants(_ name: String) -> Bool { only.isEmpty || only.contains(name) }
        var result: [RowGroup] = []
        if wants("pipeline") { result.append(measurements.pipeline) }
        if wants("tutorial"), let group = measurements.stopAndWait { result.append(group) }
        // Each takes its time, and none of them is what the gate guards.
        if only.contains("peers") || (only.isEmpty && !quick) {
            result.append(measurements.ahead(of: throughputPeers))
        }
        if wants("transport") { result += measurements.transport }
        // Not by the gate: what is missed is OpenSSL's, and known.
        if only.contains("tls") || (only.isEmpty && !quick), let picture {
            result.append(
                TLSCosts(
                    examples: examples, clip: clip, picture: picture, work: work, frames: measurements.frames,
                    seconds: quick ? 5 : 15
                ).group)
        }
        if wants("camera") { result += measurements.camera }
        if wants("preview"), let picture {
            let byteCount = try byteCountOfFile(picture)
            result.append(
                PreviewCosts(programs: programs, jpeg: picture, byteCount: byteCount, seconds: quick ? 3 : 8).group)
        }
        return result
    }
}
