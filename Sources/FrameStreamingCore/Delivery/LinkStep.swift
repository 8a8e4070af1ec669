/// The work of a ``ReceiverLink`` after an event.
///
/// One of these is filled and emptied for each event that follows from the first, because the
/// actions are large.
struct LinkStep {
    var actions = ReceiverLink.Session.Actions()
    /// The connection at the time of the event.
    var connection: LinkConnection?
    /// Whether the link's thread has work, or must sleep until another time.
    var wakesThread = false
    /// Whether the session stopped taking frames with this event.
    var closes = false
}
