import FoundationEssentials
import FrameStreaming

/// Everything that the rig measured.
struct RigReport: Encodable {
    let date = Date.now.formatted(.iso8601.year().month().day())
    let commit: String
    let machine = Report.machine()
    let links: String
    let length: Double
    let isLoose: Bool
    var rows: [String] = []
    var streams: [String: [StreamRun]] = [:]
    var verdicts: [Verdict] = []

    private enum CodingKeys: CodingKey { case date, commit, machine, links, length, streams, verdicts }

    var missed: [Verdict] { verdicts.filter { !$0.holds(isLoose: isLoose) } }

    var markdown: String {
        """
        Measured on \(date) at \(commit), \(machine); \(links); streams of \(places(length)) s\(isLoose ? ", judged with the slack of a busy machine" : "").

        \(Verdict.head)
        \(verdicts.map { $0.row(isLoose: isLoose) }.joined(separator: "\n"))

        \(StreamRun.head)
        \(rows.joined(separator: "\n"))
        """
    }
}

extension Rig {
    /// The cases one after another.
    ///
    /// - Parameter isQuick: Ours only, and a case that misses is run again, three
    ///   times at most: its best run counts.
    func measure(
        _ cases: [Case], control: Contender?, peers: [Contender], isQuick: Bool, into report: inout RigReport
    ) throws {
        var results = RigResults()
        if let control {
            let scene = Scene(
                name: Case.tenMegabit.name, shape: Case.tenMegabit.shape,
                duration: cases.first?.scene.duration ?? .seconds(12))
            let run = try run(control, scene)
            report.rows.append(run.row(scene.name))
            report.streams[scene.name, default: []].append(run)
            note(run.row(scene.name))
            guard run.ages.slope > 50 else {
                throw Failure(
                    "the rig is wrong: without acks and bounds age must grow on a link of 10 Mbit/s, and it grew by \(places(run.ages.slope)) ms a second"
                )
            }
            results.tenMegabitLimit = run.ages.framesPerSecond
        }
        for item in cases {
            var verdicts: [Verdict] = []
            for (index, contender) in (isQuick ? Array(item.ours.prefix(1)) : item.ours + (item.hasPeers ? peers : []))
                .enumerated()
            {
                let rounds = isQuick ? 3 : 1
                for round in 1...rounds {
                    let run: StreamRun
                    do {
                        run = try self.run(contender, item.scene)
                    } catch  where index >= item.ours.count {
                        // A peer that does not start is no fault of ours, so it is only noted.
                        note("\(contender.name): \(error)")
                        report.rows.append("| \(item.scene.name) | \(contender.name) | did not run | - | - | - | - |")
                        break
                    }
                    note(run.row(item.scene.name))
                    let judged = index == 0 ? item.judge(run, results) : []
                    if round < rounds, judged.contains(where: { !$0.holds(isLoose: isQuick) }) { continue }
                    report.rows.append(run.row(item.scene.name))
                    report.streams[item.scene.name, default: []].append(run)
                    verdicts += judged
                    break
                }
            }
            report.verdicts += verdicts
        }
    }
}
