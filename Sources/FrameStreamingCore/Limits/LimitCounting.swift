/// A connection that holds its sender back instead of ending, and counts how often.
package protocol LimitCounting: Transport {
    /// How often each limit held the sender back.
    var limitCounts: LimitCounts { get }
}
