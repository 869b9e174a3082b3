import FoundationEssentials
package import HubDriver
import HubModel

/// Changes by polling `write_date`, which Odoo cuts to seconds and takes from a transaction's start: every look goes back by an overlap, and
/// what is found there is told again only where its content differs. Deletions by comparing the list of keys.
extension OdooDriver {
    package func capture(after text: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        var position = CapturePosition()
        if let text { position = try CapturePosition(text: text) }
        let now = Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        let limit = max(1, limit)
        var changes: [CapturedChange] = []
        var notices: [String] = []
        for feed in feeds where changes.count < limit {
            let known = position.places[feed.name] ?? CapturePosition.Place()
            let left = limit - changes.count
            let found = try await asked { () async throws(OdooFailure) in
                do throws(OdooFailure) {
                    return try await look(feed, from: known, limit: left, now: now)
                } catch .refused(let refusal) where refusal.status == 403 || refusal.status == 404 {
                    // Not installed, or not this user's: there is nothing to tell. `probe` says so.
                    return Look(changes: [], place: known)
                }
            }
            changes += found.changes
            notices += found.notices
            position.places[feed.name] = found.place
        }
        return CapturedBatch(changes: changes, position: position.text, notices: notices)
    }

    /// What is looked through on its own: a model, in one company where it is kept per company, so that a deletion can name it.
    private struct Feed {
        var type: NativeType
        var company: Int64?
        var name: String { company.map { "\(type.model)@\($0)" } ?? type.model }
    }

    private struct Look {
        var changes: [CapturedChange]
        var place: CapturePosition.Place
        var notices: [String] = []
    }

    private var feeds: [Feed] {
        NativeType.all.flatMap { type in
            type.hasCompany && !options.companies.isEmpty
                ? options.companies.map { Feed(type: type, company: $0) } : [Feed(type: type, company: nil)]
        }
    }

    private func look(
        _ feed: Feed, from known: CapturePosition.Place, limit: Int, now: Instant
    ) async throws(OdooFailure) -> Look {
        var place = known
        if place.first != nil { return Look(changes: try await goThrough(feed, &place, limit, now), place: place) }
        var look = Look(changes: try await polled(feed, &place, limit, now), place: place)
        if look.changes.count < limit, (now - place.swept) >= options.sweep, pace.maySweep(feed.name, every: options.sweep) {
            let (found, merged) = try await sweep(feed, &place, limit - look.changes.count, now)
            pace.swept(feed.name, found: !found.isEmpty)
            look.changes += found
            look.notices = merged.sorted { $0.key < $1.key }.map { gone, left in
                "\(feed.type.model) \(gone) has been merged into \(left) in Odoo: its record here stays, writes to it are refused, and which of the two "
                    + "records is to go is for a person to decide"
            }
            look.place = place
        }
        return look
    }

    // MARK: The first time

    private func goThrough(
        _ feed: Feed, _ place: inout CapturePosition.Place, _ limit: Int, _ now: Instant
    ) async throws(OdooFailure) -> [CapturedChange] {
        if place.date == nil {
            // What changes from here on is found by its date afterwards.
            place.date = try await latest(feed)
        }
        let domain = scope(feed.type, feed.company) + [["id", ">", .number(Number(place.first ?? 0))]]
        let rows = try await client.search(
            feed.type.model, domain, ["write_date"], order: "id", limit: limit, archived: !feed.type.isArchived)
        let ids = rows.compactMap { $0["id"]?.integer }
        let documents = try await documents(feed.type, ids, references: true)
        try await mark(feed.type, ids)
        let changes = documents.map { change(feed, $0, now) }
        let from = place.date.map { PlainMoment.text($0, minus: overlapSeconds) } ?? ""
        for row in rows {
            guard let id = row["id"]?.integer, let date = row["write_date"]?.text, date >= from,
                let document = documents.first(where: { $0.id == id })
            else { continue }
            place.told[id] = .init(date: date, hash: CapturePosition.hash(of: document.fields))
        }
        place.keys = place.keys.union(documents.map(\.id))
        place.first = ids.count < limit ? nil : ids.last
        place.top = ids.last ?? place.top
        place.moved = now
        place.swept = now
        return changes
    }

    private func latest(_ feed: Feed) async throws(OdooFailure) -> String? {
        try await client.search(feed.type.model, scope(feed.type, feed.company), ["write_date"], order: "write_date desc", limit: 1).first?[
            "write_date"]?.text
    }

    private var overlapSeconds: Int64 { options.overlap.milliseconds / 1000 }

    // MARK: Polling

    private func polled(
        _ feed: Feed, _ place: inout CapturePosition.Place, _ limit: Int, _ now: Instant
    ) async throws(OdooFailure) -> [CapturedChange] {
        let from = place.date.map { PlainMoment.text($0, minus: overlapSeconds) }
        let dates = try await dates(feed, from: from)
        // Within the overlap a change can hide behind the same second; after that time without any, nothing can come any more.
        let isCalm = (now - place.moved) > options.overlap
        let suspects = dates.filter { entry in
            guard let told = place.told[entry.id] else { return true }
            return !isCalm || told.date != entry.date
        }
        var changes: [CapturedChange] = []
        var reached = true
        for start in stride(from: 0, to: suspects.count, by: 200) {
            if changes.count >= limit {
                reached = false
                break
            }
            let part = Array(suspects[start..<min(start + 200, suspects.count)])
            let documents = try await documents(feed.type, part.map(\.id), references: true)
            var told: [Int64] = []
            for document in documents where changes.count < limit {
                guard let entry = part.first(where: { $0.id == document.id }) else { continue }
                let hash = CapturePosition.hash(of: document.fields)
                let before = place.told[document.id]
                place.told[document.id] = .init(date: entry.date, hash: hash)
                if before?.hash == hash { continue }
                let isDeleted = feed.type.isArchived && document.isArchived
                changes.append(change(feed, document, now))
                if isDeleted { place.keys = place.keys.without([document.id]) } else { told.append(document.id) }
            }
            reached = reached && changes.count < limit
            try await mark(feed.type, told)
            place.keys = place.keys.union(told)
        }
        if !changes.isEmpty { place.moved = now }
        // Only what has been looked at moves the date on; what is left is found again.
        if reached, let last = dates.map(\.date).max() {
            place.date = max(place.date ?? last, last)
            let keep = PlainMoment.text(place.date ?? last, minus: overlapSeconds)
            place.told = place.told.filter { $0.value.date >= keep }
        }
        return changes
    }

    /// Documents that changed, or whose lines did, since a moment, oldest first.
    private func dates(_ feed: Feed, from: String?) async throws(OdooFailure) -> [(id: Int64, date: String)] {
        func since(_ domain: [Value]) -> [Value] { from.map { domain + [["write_date", ">=", .string($0)]] } ?? domain }
        var dates: [Int64: String] = [:]
        for row in try await client.search(feed.type.model, since(scope(feed.type, feed.company)), ["write_date"], order: "write_date, id")
        {
            guard let id = row["id"]?.integer, let date = row["write_date"]?.text else { continue }
            dates[id] = date
        }
        if let lines = feed.type.lines {
            let company: [Value] = feed.company.map { [[.string("\(lines.parent).company_id"), "=", .number(Number($0))]] } ?? []
            let rows = try await client.search(
                lines.model, since(lines.domain + company), [lines.parent, "write_date"], order: "write_date, id")
            for row in rows {
                let parent = NativeMember(lines.parent, .key).told(row[lines.parent] ?? .null).integer
                guard let parent, let date = row["write_date"]?.text else { continue }
                dates[parent] = max(dates[parent] ?? date, date)
            }
        }
        return dates.map { (id: $0.key, date: $0.value) }.sorted { ($0.date, $0.id) < ($1.date, $1.id) }
    }

    // MARK: Deletions

    /// Compares the keys that were told, and the numbers above them, with those that are there.
    private func sweep(
        _ feed: Feed, _ place: inout CapturePosition.Place, _ limit: Int, _ now: Instant
    ) async throws(OdooFailure) -> (changes: [CapturedChange], merged: [Int64: Int64]) {
        let present = KeyRanges(try await ids(feed.type, scope(feed.type, feed.company)))
        let told = place.keys.subtracting(present)
        let untold = try await neverTold(feed, place, present)
        let all = (told + untold.gone).sorted()
        // Each leads to one change at most; what is over the limit is found by the next look.
        let gone = Array(all.prefix(limit))
        if gone.count == all.count {
            place.swept = now
            place.top = untold.top ?? place.top
        } else if let next = untold.gone.first(where: { !gone.contains($0) }) {
            place.top = next - 1
        }
        if gone.isEmpty { return ([], [:]) }
        let merged = try await survivors(feed.type, gone)
        place.keys = place.keys.without(Set(gone))
        for id in gone { place.told[id] = nil }
        place.moved = now
        // What a merge left may have taken over members: it is told, whatever its date says.
        let left = try await documents(feed.type, Set(merged.values).sorted(), references: true)
        for document in left { place.told[document.id]?.hash = CapturePosition.hash(of: document.fields) }
        return (gone.filter { merged[$0] == nil }.map { deletion(feed, $0, now) } + left.map { change(feed, $0, now) }, merged)
    }

    /// Documents that came and went between two looks leave a gap in the numbers, as do creates that were refused. The hub may have made
    /// one and wait to hear of it, so that each gap is told as a deletion, after the time in which a transaction may still fill it.
    ///
    /// - Returns: the gaps that are old enough, ascending, and the number up to which all is told then; nil where nothing is known yet.
    private func neverTold(
        _ feed: Feed, _ place: CapturePosition.Place, _ present: KeyRanges
    ) async throws(OdooFailure) -> (gone: [Int64], top: Int64?) {
        // Of a type that is a part of a model, most gaps are documents of the other parts.
        guard feed.type.domain.isEmpty else { return ([], nil) }
        let all = feed.company == nil ? present : KeyRanges(try await ids(feed.type, []))
        guard let last = all.ranges.last?.upperBound else { return ([], nil) }
        guard let top = place.top else { return ([], last) }
        var gaps: [Int64] = []
        for (range, next) in zip(all.ranges, all.ranges.dropFirst()) where next.lowerBound > top {
            let gap = max(top, range.upperBound) + 1..<next.lowerBound
            // Nobody makes and removes so many between two looks: the numbers were set forward.
            if gap.count <= Self.largestGap { gaps += gap.filter { !place.keys.contains($0) } }
        }
        // Behind the last number a gap cannot be seen: there only what this driver made itself is known.
        gaps += pace.made(feed.type.model, above: max(top, last)).filter { !place.keys.contains($0) }
        // What is there and not told yet may be gone before it is.
        let untold = all.above(top).filter { !place.keys.contains($0) && place.told[$0] == nil }
        let old = pace.missing(gaps + untold, in: feed.name, since: options.overlap)
        let young = (gaps + untold).filter { !old.contains($0) }.min()
        let gone = gaps.filter { old.contains($0) && $0 < young ?? .max }
        return (gone, young.map { $0 - 1 } ?? max(top, last, gone.last ?? 0))
    }

    private static let largestGap = 1000

    private func ids(_ type: NativeType, _ domain: [Value]) async throws(OdooFailure) -> [Int64] {
        let value = try await client.call(
            type.model, "search", ["domain": .array(domain), "order": "id"], context: ["active_test": false])
        guard let ids = value.array?.compactMap(\.integer) else { throw .unusable("\(type.model): search answers no list") }
        return ids
    }

    private func deletion(_ feed: Feed, _ id: Int64, _ now: Instant) -> CapturedChange {
        CapturedChange(event: event(feed, id, .delete, nil, now), fields: nil)
    }

    /// Archived documents count as deleted.
    private func change(_ feed: Feed, _ document: OdooDocument, _ now: Instant) -> CapturedChange {
        if feed.type.isArchived && document.isArchived { return deletion(feed, document.id, now) }
        return CapturedChange(event: event(feed, document.id, .upsert, document.reference, now), fields: document.fields)
    }

    private func event(
        _ feed: Feed, _ id: Int64, _ operation: ChangeEvent.Operation, _ reference: CanonicalID?, _ now: Instant
    ) -> ChangeEvent {
        // No position: a re-read document is always newer than what was told before, so that the records' own order serves.
        ChangeEvent(
            id: "\(feed.type.model)-\(id)-\(now.milliseconds)", type: feed.type.model, operation: operation, key: NativeKey(String(id)),
            time: now, reference: reference, company: feed.company.map(String.init))
    }
}
