/// What becomes of the numbers, and of what is under way, when a connection begins or ends.
extension FlowControl {
    mutating func connect(_ credit: UInt64, _ consumed: Int) {
        let known = min(consumed, awaitingResend)
        awaitingResend -= known
        counts.acknowledged += known
        creditThrough = credit
        isConnected = true
        isPaused = false
        prediction.reset()
        adaptive?.reset()
        quality?.reset()
    }

    mutating func disconnect() {
        guard isConnected else { return }
        isConnected = false
        if policy == .reliable {
            awaitingResend += underWay
        } else {
            counts.lost += underWay
            // What was taken would be old by the time that there is a connection again.
            counts.dropped.disconnected += taken.count
            for skipped in taken { skipBeforeNext(skipped) }
            taken = []
        }
        forgetNumbers()
    }

    mutating func end() {
        guard !hasEnded else { return }
        hasEnded = true
        counts.dropped.disconnected += waiting.count + taken.count
        counts.lost += underWay + awaitingResend
        waiting = []
        taken = []
        awaitingResend = 0
        forgetNumbers()
    }

    private mutating func forgetNumbers() {
        sentThrough = 0
        acknowledgedThrough = 0
        creditThrough = 0
        flights.removeAll(keepingCapacity: true)
    }
}
