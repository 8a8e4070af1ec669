import Glibc

/// Whether a receiver that takes nothing, or has a thin link, makes pictures older
/// for another one of the same sender.
extension Rig {
    private enum Neighbour { case healthy, stopped, thin }

    func slowNeighbour(length: Double, pairs: Int, into report: inout RigReport) throws {
        for (kind, words) in [(Neighbour.stopped, "is stopped (SIGSTOP)"), (.thin, "has 1 Mbit/s")] {
            var ratios: [Double] = []
            for pair in 1...pairs {
                let (beside, alone) = try inTurn(pair) {
                    try ages(beside: kind, length: length)
                } reference: {
                    try ages(beside: .healthy, length: length)
                }
                ratios.append(beside.quantile(0.99) / alone.quantile(0.99))
                note(
                    "another receiver \(words): p99 \(places(beside.quantile(0.99))) ms, beside a healthy one \(places(alone.quantile(0.99))) ms"
                )
            }
            report.verdicts.append(
                .atMost(
                    1.1, loose: 5, "another receiver \(words): age p99, of that beside a healthy one", "ms/ms",
                    median(ratios)))
        }
    }

    /// The ages at one of two receivers of a sender, window 1, 60 fps on loopback.
    private func ages(beside kind: Neighbour, length: Double) throws -> AgeSeries {
        let shape = kind == .thin ? Link.Shape(bitsPerSecond: 1_000_000) : .loopback
        let link = try Link(shape, namespaces: namespaces, programs: programs)
        defer { link.restore() }
        let logs = ["one", "other"].map { "\(work)/\($0)-\(getpid()).log" }
        defer { for log in logs { unlink(log) } }
        let ports = try [freePort(), freePort()]
        func receive(_ command: [String], _ address: String, _ log: String) throws -> Child {
            let child = try Child(
                command + ["\(programs)/frame-bench", "stream-receive", "--address", address, "--log", log])
            _ = try child.figures(with: "ready", within: 30_000)
            return child
        }
        // The one that is judged is at the sender's own end, the other one behind the link.
        let one = try receive(link.atSender, "127.0.0.1:\(ports[0])", logs[0])
        let other = try receive(link.atReceiver, "\(link.receiverAddress):\(ports[1])", logs[1])
        let way = try link.way(to: link.receiverAddress, port: ports[1])
        let sender = try Child(
            link.atSender + [
                "\(programs)/frame-bench", "fan-out-send", "--address", "127.0.0.1:\(ports[0])", "--address", way,
                "--fps", "60", "--seconds", "\(length)", "--jpeg", jpeg, "--window", "1",
            ])
        let origin = try sender.figures(with: "start", within: 30_000)
        if kind == .stopped { other.send(signal: SIGSTOP) }
        _ = try sender.end(patience: .seconds(length + 10))
        _ = try one.end(patience: .seconds(1))
        other.send(signal: SIGKILL)
        let points = agePoints(of: logs[0], begin: origin["start"] ?? .nan, period: origin["period"] ?? .nan)
        return AgeSeries(points, from: 1, to: length)
    }
}
