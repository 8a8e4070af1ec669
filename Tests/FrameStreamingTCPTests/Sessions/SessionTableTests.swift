import Testing

@testable import FrameStreamingTCP

@Suite struct SessionTableTests {
    /// The table against a plain list of what is idle, oldest first,
    /// through operations in random order.
    @Test(arguments: 1...8)
    func forgetsInTheOrderThatAListWould(seed: UInt64) {
        var state = seed
        func next(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var table = SessionTable<UInt64>(capacity: 20)
        var held: Set<UInt64> = []
        var idle: [(session: UInt64, standing: SessionTable<UInt64>.Standing)] = []
        for step in 0..<4000 {
            let session = next(40) + 1
            if next(2) == 0 {
                table.hold(session, orInsert: UInt64(step))
                idle.removeAll { $0.session == session }
                held.insert(session)
            } else if held.contains(session) || idle.contains(where: { $0.session == session }) {
                let standing = SessionTable<UInt64>.Standing(rawValue: Int(next(3))) ?? .broken
                table.release(session, as: standing)
                held.remove(session)
                idle.removeAll { $0.session == session }
                idle.append((session, standing))
                if idle.count > 20, let least = idle.map(\.standing.rawValue).min(),
                    let index = idle.firstIndex(where: { $0.standing.rawValue == least })
                {
                    idle.remove(at: index)
                }
            }
            #expect(table.idleCount == idle.count && table.count == idle.count + held.count)
            // One expectation for all sessions, because an
            // expectation costs more than what it checks.
            var known = [SessionTable<UInt64>.Standing?](repeating: nil, count: 41)
            for entry in idle { known[Int(entry.session)] = entry.standing }
            let wrong = (1...UInt64(40)).first { session in
                let standing = known[Int(session)]
                return table.standing(of: session) != standing
                    || (table[session] != nil) != (standing != nil || held.contains(session))
            }
            #expect(wrong == nil, "after step \(step)")
        }
    }

    @Test func aSessionThatIsNotKnownIsNotReleased() {
        var table = SessionTable<Int>(capacity: 2)
        table.release(7, as: .broken)
        #expect(table.count == 0 && table.change(7) { $0 += 1 } == nil)
    }
}
