/// A value for each session. At most `capacity` sessions without a connection are kept.
///
/// Each call takes constant time: idle sessions are in linked lists, one for each standing. The
/// lists are also the order in which sessions are forgotten.
struct SessionTable<Value> {
    /// How much an idle session is worth. Lower ones are forgotten first, whatever their age. So a
    /// peer that opens session after session displaces its own, and not a stream that broke.
    enum Standing: Int, CaseIterable {
        /// No frame of it was consumed, so nothing is lost with it.
        case untouched
        /// Its sender said goodbye, and everything was acknowledged.
        case ended
        /// It broke, and its sender may come back.
        case broken
    }

    private struct Node {
        var value: Value
        /// The list that it is in; nil while it is in use.
        var standing: Standing?
        var previous: UInt64 = 0
        var next: UInt64 = 0
    }

    /// 0, which is no session, marks the ends of a list.
    private struct List {
        var oldest: UInt64 = 0
        var newest: UInt64 = 0
    }

    /// The most idle sessions that are kept.
    var capacity: Int
    private var nodes: [UInt64: Node] = [:]
    private var lists = [List](repeating: List(), count: Standing.allCases.count)
    private(set) var idleCount = 0

    init(capacity: Int) { self.capacity = capacity }

    /// Sessions in use and idle ones.
    var count: Int { nodes.count }

    subscript(session: UInt64) -> Value? { nodes[session]?.value }

    /// Changes the value of a session; nil if there is none.
    mutating func change<Result>(_ session: UInt64, _ body: (inout Value) -> Result) -> Result? {
        guard let index = nodes.index(forKey: session) else { return nil }
        return body(&nodes.values[index].value)
    }

    /// Takes a session into use. It is not forgotten before it is released.
    ///
    /// - Parameter value: The value for a new session.
    mutating func hold(_ session: UInt64, orInsert value: @autoclosure () -> Value) {
        precondition(session != 0, "session 0 is none")
        if nodes[session] == nil {
            nodes[session] = Node(value: value())
        } else {
            unlink(session)
        }
    }

    /// Makes a session the newest idle one of its standing, and forgets sessions beyond the
    /// capacity.
    mutating func release(_ session: UInt64, as standing: Standing) {
        guard nodes[session] != nil else { return }
        unlink(session)
        let neighbour = lists[standing.rawValue].newest
        nodes[session]?.standing = standing
        nodes[session]?.previous = neighbour
        if neighbour == 0 {
            lists[standing.rawValue].oldest = session
        } else {
            nodes[neighbour]?.next = session
        }
        lists[standing.rawValue].newest = session
        idleCount += 1
        while idleCount > capacity { forgetOne() }
    }

    /// The standing of an idle session; nil while it is in use.
    func standing(of session: UInt64) -> Standing? { nodes[session]?.standing }

    private mutating func forgetOne() {
        guard let list = lists.first(where: { $0.oldest != 0 }) else { return }
        let session = list.oldest
        unlink(session)
        nodes[session] = nil
    }

    private mutating func unlink(_ session: UInt64) {
        guard let node = nodes[session], let standing = node.standing else { return }
        if node.previous == 0 {
            lists[standing.rawValue].oldest = node.next
        } else {
            nodes[node.previous]?.next = node.next
        }
        if node.next == 0 {
            lists[standing.rawValue].newest = node.previous
        } else {
            nodes[node.next]?.previous = node.previous
        }
        nodes[session]?.standing = nil
        nodes[session]?.previous = 0
        nodes[session]?.next = 0
        idleCount -= 1
    }
}
