package import HubModel
package import HubStore

/// That an application cannot be reached: a running hub keeps it in the store, for whoever asks what waits and why.
package struct ApplicationAbsence: Sendable, Hashable {
    /// When the hub lost it, or where that was before its start, when an earlier run did.
    package var since: Instant
    /// What the driver said last.
    package var reason: String

    package init(since: Instant, reason: String) {
        self.since = since
        self.reason = String(reason.prefix(Self.reasonLimit))
    }

    /// Characters of a driver's own words.
    private static let reasonLimit = 500

    private static func name(_ application: ApplicationID) -> String { "unreachable/\(application)" }

    /// nil where the hub that ran last had reached it.
    package static func read(_ application: ApplicationID, in store: any StoreTransaction) throws(StoreError) -> ApplicationAbsence? {
        guard let text = try store.note(name(application)) else { return nil }
        let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let since = Int64(parts[0]) else { return nil }
        return ApplicationAbsence(since: Instant(milliseconds: since), reason: String(parts[1]))
    }

    /// Keeps why it cannot be reached, and since when not; nil: it answers.
    package static func put(
        _ reason: String?, of application: ApplicationID, now: Instant, in store: any StoreTransaction
    ) throws(StoreError) {
        let known = try read(application, in: store)
        let absence = reason.map { ApplicationAbsence(since: known?.since ?? now, reason: $0) }
        guard absence != known else { return }
        try store.putNote(absence.map { "\($0.since.milliseconds) \($0.reason)" }, name(application))
    }
}
