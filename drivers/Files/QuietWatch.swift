import HubModel

/// Tells whether files have been left alone for long enough: by their own times or, where those are still to come (the clock of another
/// machine, a time that was set), by how long they have been seen as they are.
struct QuietWatch: Sendable {
    private struct Sight: Sendable {
        var identity: String
        var since: Instant
    }

    /// Files whose times are still to come, by name.
    private var sights: [String: Sight] = [:]

    mutating func isQuiet(_ file: FoundFile, for pause: Duration, now: Instant) -> Bool {
        let changed = Instant(milliseconds: file.changed)
        if changed <= now { return now - changed >= pause }
        guard let sight = sights[file.name], sight.identity == file.identity else {
            sights[file.name] = Sight(identity: file.identity, since: now)
            return false
        }
        return now - sight.since >= pause
    }

    /// Forgets files that are not there any more.
    mutating func keep(_ files: [FoundFile]) {
        if sights.isEmpty { return }
        let names = Set(files.map(\.name))
        sights = sights.filter { names.contains($0.key) }
    }
}
