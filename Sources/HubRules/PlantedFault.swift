/// Mistakes that the simulator can plant in the real decisions, to prove that its checks find them. Production code never sets one.
package enum PlantedFault: String, CaseIterable, Sendable {
    /// No separate memory of the hub's own writes: an answer moves *heard*.
    case singleShadow = "single-shadow"
    /// A read-back after a write moves *heard*.
    case readBackMovesHeard = "readback-moves-heard"
    /// Every write sends the whole document, unconditionally.
    case writeWholeDocument = "write-whole-document"
    /// A create without an answer is simply sent again.
    case noIntent = "no-intent"
    /// Work of an assignment that has been taken over still counts.
    case noEpoch = "no-epoch"
    /// An unknown native key is a new document at once, whatever the hub has just created.
    case echoOfCreate = "echo-of-create"
    /// A delivery carries the record's version, not today's golden record.
    case replayOldVersion = "replay-old-version"
    /// A field that an event does not name counts as emptied.
    case absentIsNull = "absent-is-null"
    /// Looks up before the settle time has passed.
    case noSettle = "no-settle"
    /// Goes to wait for a newer state although it has come already.
    case lostWake = "lost-wake"
}
