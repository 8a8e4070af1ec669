/// Rows that come out of the same runs, a pair of runs at a time.
struct RowGroup {
    private let questions: [Question]
    /// One pair of runs: what each row got, in the order of the questions. Even pairs
    /// begin with the reference, so that neither side always has the caches and the
    /// clock speed that the other left.
    private let measure: (_ pair: Int) throws -> [Pair]
    private var measured: [[Pair]] = []

    init(_ questions: [Question], _ measure: @escaping (_ pair: Int) throws -> [Pair]) {
        self.questions = questions
        self.measure = measure
    }

    /// Measures `pairs` pairs, and as many again where a row misses what
    /// `judgement` asks, `rounds` times at most.
    mutating func fill(pairs: Int, rounds: Int, _ judgement: Judgement) throws {
        for round in 1...rounds {
            for _ in 1...pairs { measured.append(try measure(measured.count + 1)) }
            let missed = criteria.filter { !$0.holds(judgement) }
            if missed.isEmpty || round == rounds { return }
            note("once more, for it was missed: \(missed.map(\.name).joined(separator: "; "))")
        }
    }

    var criteria: [Criterion] {
        questions.indices.map { index in Criterion(questions[index], measured.map { $0[index] }) }
    }
}

/// Ours and the reference by turns: which of the two begins changes from pair to pair.
func inTurn<Ours, Reference>(
    _ pair: Int, ours: () throws -> Ours, reference: () throws -> Reference
) rethrows -> (Ours, Reference) {
    if pair % 2 == 1 {
        let first = try ours()
        return (first, try reference())
    }
    let first = try reference()
    return (try ours(), first)
}
