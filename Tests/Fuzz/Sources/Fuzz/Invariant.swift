/// Ends the run with a message unless the condition holds. A precondition says nothing in a build
/// that is optimized.
func invariant(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fatalError(message()) }
}
