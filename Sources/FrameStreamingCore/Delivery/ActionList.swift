/// The actions that a driver must perform after an event, in order.
///
/// It nearly always has none or one, which takes no memory from the heap: an allocation
/// would be a tenth of a frame's cost.
struct ActionList<Action>: Sequence, IteratorProtocol {
    private var first: Action?
    private var others: [Action] = []

    var isEmpty: Bool { first == nil }

    mutating func append(_ action: Action) {
        if first == nil { first = action } else { others.append(action) }
    }

    /// Puts an action before all others.
    mutating func prepend(_ action: Action) {
        if let first { others.insert(first, at: 0) }
        first = action
    }

    /// Takes the first action out.
    @inline(__always)
    mutating func next() -> Action? {
        guard let action = first.take() else { return nil }
        if !others.isEmpty { first = others.removeFirst() }
        return action
    }
}
