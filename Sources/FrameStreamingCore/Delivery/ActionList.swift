/// What a driver has to do after an event, in order.
///
/// Nearly always nothing or one thing: that takes no memory from the heap, which would be a tenth of what a frame costs.
struct ActionList<Action>: Sequence {
    private var first: Action?
    private var others: [Action] = []

    var isEmpty: Bool { first == nil }

    mutating func append(_ action: Action) {
        if first == nil { first = action } else { others.append(action) }
    }

    struct Iterator: IteratorProtocol {
        fileprivate var first: Action?
        fileprivate var others: ArraySlice<Action>

        mutating func next() -> Action? { first.take() ?? others.popFirst() }
    }

    func makeIterator() -> Iterator { Iterator(first: first, others: others[...]) }
}
