import HTTPApplication
import HubDriver
import HubModel

/// Changes by asking what was modified since the last look, or has a higher number since, less an overlap; what is found there is told
/// again only where it differs. Deletions by comparing lists of keys.
extension RESTDriver {
    func capture(after text: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        var position = try text.map { (text) throws(DriverError) in try CapturePosition(text) } ?? CapturePosition()
        let limit = max(1, limit)
        var changes: [CapturedChange] = []
        for feed in feeds where changes.count < limit {
            var known = position.feeds[feed.name] ?? CapturePosition.Feed()
            let left = limit - changes.count
            let (found, after) = try await asked(feed.type.native, Self.requestsOfALook) { (permit) async throws(CallFailure) in
                var changes = try await look(feed, &known, left, permit)
                if changes.count < left { changes += try await sweep(feed, &known, left - changes.count, permit) }
                return (changes, known)
            }
            changes += found
            position.feeds[feed.name] = after
        }
        return CapturedBatch(changes: changes, position: position.text)
    }

    private static let requestsOfALook = 2

    /// What is looked through on its own.
    private struct Feed: Sendable {
        var type: EntityRecipe
        var changes: EntityRecipe.Changes
        var company: String?
        /// How far each look goes back, as places are counted.
        var overlap: Int64
        var name: String { Rhythm.feed(type.native, company) }

        /// Where a look begins that has to bring what may have come late before that place.
        func start(_ place: Int64) -> Int64 {
            let (start, isTooEarly) = place.subtractingReportingOverflow(overlap)
            return isTooEarly ? .min : start
        }

        /// Whether a place is a moment that is still to come, by a clock that may be behind by so many milliseconds.
        func isAhead(_ place: Int64, tolerance: Int64 = 0) -> Bool {
            changes.form != .number && place > Instant.now.milliseconds + tolerance
        }
    }

    private var feeds: [Feed] {
        recipe.entities.flatMap { type in
            guard let changes = type.changes else { return [Feed]() }
            let companies: [String?] = type.isPerCompany ? self.companies : [nil]
            let overlap = changes.overlap ?? recipe.overlap.milliseconds
            return companies.map { Feed(type: type, changes: changes, company: $0, overlap: overlap) }
        }
    }

    // MARK: Changes

    private func look(
        _ feed: Feed, _ known: inout CapturePosition.Feed, _ limit: Int, _ permit: Permit
    ) async throws(CallFailure) -> [CapturedChange] {
        if known.walk == nil {
            // Nothing was found behind such a moment: all that has changed since nobody knows when is looked through once more.
            if let latest = known.latest, feed.isAhead(latest, tolerance: feed.overlap) { known.latest = nil }
            known.since = known.latest.map { feed.start($0) }
            known.walk = PageCursor()
        }
        let since = known.since.map { feed.changes.form.text($0) }
        var changes: [CapturedChange] = []
        while changes.count < limit, let cursor = known.walk {
            let part = try await part(
                of: feed.changes.listing, feed.type, feed.company, since: since, orderedBy: feed.changes.place, from: cursor,
                limit: limit - changes.count, permit)
            for (document, value) in zip(part.documents, part.values) {
                let told = try await withToken(feed.type, document, feed.company, permit)
                let time = feed.changes.place.value(in: value).flatMap { feed.changes.form.place($0) } ?? known.latest ?? 0
                if let change = tell(told, at: time, feed, &known) { changes.append(change) }
            }
            known.walk = part.next
        }
        if known.walk == nil, let latest = known.latest {
            // Only what the next look's overlap can bring again has to be remembered.
            known.told = known.told.filter { $0.value.time >= feed.start(latest) }
        }
        return changes
    }

    private func tell(
        _ document: NativeDocument, at time: Int64, _ feed: Feed, _ known: inout CapturePosition.Feed
    ) -> CapturedChange? {
        let key = document.key.rawValue
        let mark = CapturePosition.mark(document)
        // A moment that is still to come (a wrong clock, a default value) would hide all that changes before it.
        if !feed.isAhead(time) { known.latest = max(known.latest ?? time, time) }
        if known.told[key]?.mark == mark { return nil }
        known.told[key] = .init(time: time, mark: mark)
        if document.isDeleted {
            known.keys.remove(key)
            pace.forget([document.key], feed.name)
            return change(feed, document.key, .delete, document, time)
        }
        known.keys.insert(key)
        return change(feed, document.key, .upsert, document, time)
    }

    private func change(
        _ feed: Feed, _ key: NativeKey, _ operation: ChangeEvent.Operation, _ document: NativeDocument?, _ time: Int64?
    ) -> CapturedChange {
        // No position: a re-read document is always newer than what was told before, so that the records' own order serves.
        let event = ChangeEvent(
            id: "\(feed.name)-\(key)-\(document.map { CapturePosition.mark($0) } ?? "gone")", type: feed.type.native, operation: operation,
            key: key, token: document?.token, time: time.flatMap { feed.changes.form.moment($0) }, reference: document?.reference,
            company: feed.company)
        return CapturedChange(event: event, fields: operation == .delete ? nil : document?.fields)
    }

    // MARK: Deletions

    /// Compares the keys that were told with those that are there, now and then.
    private func sweep(
        _ feed: Feed, _ known: inout CapturePosition.Feed, _ limit: Int, _ permit: Permit
    ) async throws(CallFailure) -> [CapturedChange] {
        let now = Instant.now.milliseconds
        guard let pause = recipe.sweep, known.walk == nil, now - known.swept >= pause.milliseconds, pace.maySweep(feed.name, every: pause)
        else { return [] }
        guard let list = feed.type.list else { return [] }
        // Asked before the list: what is made while it is gone through may be missing from it and there all the same.
        let made = pace.made(feed.name)
        var present: Set<String> = []
        var cursor: PageCursor? = PageCursor()
        while let from = cursor {
            let part = try await part(
                of: list, feed.type, feed.company, from: from, limit: Self.keysOfAPage, permit)
            present.formUnion(part.documents.filter { !$0.isDeleted }.map(\.key.rawValue))
            cursor = part.next
            guard present.count <= Self.mostKeys else {
                throw .misconfigured(
                    "\(feed.name): deletions in more than \(Self.mostKeys) documents are not found by key lists: leave sweepSeconds out")
            }
        }
        let missing = known.keys.union(made.map(\.rawValue)).subtracting(present).sorted()
        var gone: [NativeKey] = []
        // A list tells less than there is in many ways; a document counts as deleted only where its own address says so.
        for key in missing where gone.count < limit {
            if let left = try await document(feed.type, NativeKey(key), feed.company, permit), !left.isDeleted { continue }
            gone.append(NativeKey(key))
        }
        if gone.count < limit {
            known.swept = now
            pace.swept(feed.name, found: !gone.isEmpty)
        }
        for key in gone {
            known.keys.remove(key.rawValue)
            known.told[key.rawValue] = nil
        }
        pace.forget(Set(gone), feed.name)
        return gone.map { change(feed, $0, .delete, nil, nil) }
    }

    private static let keysOfAPage = 200
    private static let mostKeys = 200_000
}
