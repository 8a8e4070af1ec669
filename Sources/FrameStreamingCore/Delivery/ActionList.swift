/// What a driver has to do after an event, in order.
///
/// Nearly always nothing or one thing: that takes no memory from the heap, which would be a tenth
/// of what a frame costs.
struct ActionList<Action>: Sequence, IteratorProtocol {
    private var first: Action?
    private var others: [Action] = []

    var isEmpty: Bool { first == nil }

    mutating func append(_ action: Action) {
        if first == nil { first = action } else { others.append(action) }
    }

    /// Takes the first action out.
    @inline(__always)
    mutating func next() -> Action? {
        guard let action = first.take() else { return nil }
        if !others.isEmpty { first = others.removeFirst() }
        return action
    }
}
