/// What a ``ReceiverLink`` has to do after an event.
///
/// One of these is filled and emptied for each event that follows from the first, because the
/// actions are large.
struct LinkStep {
    var actions = ReceiverLink.Session.Actions()
    /// The connection that there was then.
    var connection: LinkConnection?
    /// The link's thread has something to do, or is to sleep until another time.
    var wakesThread = false
    /// With this event the session stopped taking frames.
    var closes = false
}
