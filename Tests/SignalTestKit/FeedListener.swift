package import HubDriver
package import HubModel

/// The hub's side of a feed: it keeps the position that it was given, and what it was told.
package final class FeedListener {
    package var feed: any Capturing
    package private(set) var position: String?
    package private(set) var told: [CapturedChange] = []
    /// Documents that were told at a place before one that they were told at already; twice at one is what a transaction does that takes
    /// two batches.
    package private(set) var disorder: [String] = []
    private var places: [Name: SourcePosition] = [:]

    private struct Name: Hashable {
        var type: String
        var key: NativeKey
        var company: String?
    }

    /// Between two looks, as the hub takes them.
    package static let pause = Duration.milliseconds(50)
    private static let patience = Duration.seconds(30)
    /// A machine that runs all tests at once takes its time for the first reading.
    private static let longPatience = Duration.seconds(180)

    package init(_ feed: any Capturing) { self.feed = feed }

    /// It was not told in time.
    package struct Missing: Error, CustomStringConvertible {
        package var description: String
    }

    /// One look.
    @discardableResult
    package func look(_ limit: Int = 500) async throws -> [CapturedChange] {
        let batch = try await feed.capture(after: position, limit: limit)
        position = batch.position ?? position
        for change in batch.changes {
            guard let key = change.event.key, let place = change.event.position else { continue }
            let name = Name(type: change.event.type, key: key, company: change.event.company)
            if let known = places[name], place < known { disorder.append("\(change.event) behind \(known)") }
            places[name] = place
        }
        told += batch.changes
        return batch.changes
    }

    /// Looks until everything that was there has been told and the stream has begun, and forgets it.
    package func present() async throws {
        try await look(for: Self.longPatience, "the beginning") { isStreaming && $0.isEmpty }
        // What was committed while the tables were read comes with the stream.
        try await wait(Self.pause * 6)
        forget()
    }

    /// Nothing is left to be read or compared before the stream goes on.
    package var isStreaming: Bool { position.map { !$0.contains(#"work"#) } ?? false }

    /// Looks until there is such a change.
    @discardableResult
    package func hear(
        _ type: String, _ key: NativeKey, _ operation: ChangeEvent.Operation = .upsert, where holds: (Fields) -> Bool = { _ in true }
    ) async throws -> CapturedChange {
        var found: CapturedChange?
        func isFound() -> Bool {
            found = told.last {
                $0.event.type == type && $0.event.key == key && $0.event.operation == operation && holds($0.fields ?? Fields())
            }
            return found != nil
        }
        if !isFound() { try await look(for: Self.patience, "\(operation) of \(type) \(key)") { _ in isFound() } }
        guard let found else { throw Missing(description: "\(type) \(key)") }
        return found
    }

    private func look(for time: Duration, _ what: String, until holds: ([CapturedChange]) -> Bool) async throws {
        let end = ContinuousClock.now + time
        while true {
            let changes = try await look()
            if holds(changes) { return }
            guard ContinuousClock.now < end else {
                let names = told.suffix(20).map { "\($0.event.operation) \($0.event.type) \($0.event.key ?? "")" }
                throw Missing(description: "\(what) was not told, but \(names.joined(separator: ", "))")
            }
            if changes.isEmpty { try await Task.sleep(for: Self.pause) }
        }
    }

    /// Hears what comes within a time.
    package func wait(_ duration: Duration) async throws {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end {
            try await look()
            try await Task.sleep(for: Self.pause)
        }
    }

    package func forget() { told = [] }
    package func changes(_ type: String, _ key: NativeKey) -> [CapturedChange] {
        told.filter { $0.event.type == type && $0.event.key == key }
    }
}
