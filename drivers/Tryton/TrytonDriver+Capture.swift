import FoundationEssentials
import HubDriver
import HubModel

extension TrytonDriver: Capturing {
    /// First every document, then what changes: records and parts changed since the last look, a little earlier ones again, as a
    /// transaction is stamped with its beginning and seen at its end; each document is read anew, whole.
    func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        let start = try position.map { text throws(DriverError) in try CapturePosition(text) } ?? CapturePosition()
        var reached = start
        let limit = max(1, limit)
        var changes: [CapturedChange] = []
        for (type, company) in types.flatMap({ type in companies(type).map { (type, $0) } }) {
            if changes.count >= limit { break }
            let name = company.map { "\(type.native)@\($0)" } ?? type.native
            var feed = reached.feeds[name] ?? CapturePosition.Feed(cursor: 0)
            changes += try await asked { () throws(TrytonFailure) in
                // A look takes several calls, and nobody waits for it as for an answer.
                let work = try await work(company, patience: .seconds(14))
                guard work.profile.has(type.model) else { return [] }
                var told = feed.cursor == nil ? [] : try await first(type, &feed, limit - changes.count, work)
                if feed.cursor != nil || told.count == limit - changes.count { return told }
                told += try await changed(type, &feed, limit - changes.count - told.count, work)
                if told.count < limit - changes.count {
                    told += try await gone(type, company, &feed, limit - changes.count - told.count, work)
                }
                return told
            }
            reached.feeds[name] = feed
        }
        // What was looked through in vain (another company's documents) is not looked through again.
        return CapturedBatch(changes: changes, position: reached == start ? position : reached.text)
    }

    /// The companies whose feeds of the type are told one by one; nil: all of them in one.
    private func companies(_ type: any DocumentType) -> [String?] {
        guard type.hasFeedPerCompany, !settings.companies.isEmpty else { return [nil] }
        return settings.companies.values.sorted().map { String($0) }
    }

    // MARK: The first time

    private func first(
        _ type: any DocumentType, _ feed: inout CapturePosition.Feed, _ limit: Int, _ work: Work
    ) async throws(TrytonFailure) -> [CapturedChange] {
        var told: [CapturedChange] = []
        while told.count < limit, let cursor = feed.cursor {
            // What changes from here on is told again by the looks for changes.
            if cursor == 0 { feed.since = try await newest(type, work) }
            let size = min(limit - told.count, 200)
            let records = try await page(type, after: cursor, limit: size, work)
            for record in records {
                guard type.isWhole(record, work) else { continue }
                feed.keys.insert(record.id)
                for (index, source) in type.sources.enumerated() {
                    for stamp in record.stamps where stamp.model == source.model && stamp.time >= feed.since {
                        feed.seen.insert(CapturePosition.Change(time: stamp.time, source: index, id: stamp.id))
                    }
                }
                if !type.isDeleted(record) { told.append(event(record, type, work)) }
            }
            feed.cursor = records.count < size ? nil : records.last?.id
        }
        return told
    }

    /// A moment, in microseconds, before which all changes are visible: the last change less the overlap.
    private func newest(_ type: any DocumentType, _ work: Work) async throws(TrytonFailure) -> Int64 {
        var time: Int64 = 0
        for order in [("id", "DESC"), ("write_date", "DESC NULLS LAST")] {
            let row = try await work.rows(type.model, type.domain(work), ["_timestamp"], limit: 1, order: [order]).first
            time = max(time, row?["_timestamp"]?.text.flatMap(Timestamp.microseconds) ?? 0)
        }
        return max(0, time - settings.overlap.milliseconds * 1000)
    }

    // MARK: Changes

    private struct Found {
        var documents: [Int64]
        var change: CapturePosition.Change
    }

    private func changed(
        _ type: any DocumentType, _ feed: inout CapturePosition.Feed, _ limit: Int, _ work: Work
    ) async throws(TrytonFailure) -> [CapturedChange] {
        var found: [Found] = []
        var isCut = false
        for (index, source) in type.sources.enumerated() {
            if let needs = source.needs, !work.profile.has(type.model, needs) { continue }
            do throws(TrytonFailure) {
                var (some, isPart) = try await changes(of: source, index, type, feed, work)
                if let holders = source.holders, !some.isEmpty {
                    let documents = try await work.keys(type.model, type.domain(work) + holders, limit: limit)
                    for place in some.indices { some[place].documents = documents }
                }
                found += some
                isCut = isCut || isPart
            } catch .refused where source.holders != nil {
                continue
            }
        }
        if found.isEmpty { return [] }
        found.sort { $0.change < $1.change }
        // Whole documents, by their earliest change, as many as there is room for.
        var documents: [Int64] = []
        var chosen: Set<Int64> = []
        for id in found.flatMap(\.documents) where documents.count < limit && chosen.insert(id).inserted { documents.append(id) }

        let rows = try await work.rows(
            type.model, type.domain(work) + [["id", "in", .array(documents.map { .id($0) })]], type.fields(work.profile))
        let records = Dictionary(try await told(rows, type, work).map { ($0.id, $0) }) { first, _ in first }
        // Of those that something may have been filed about, the one that it was filed about.
        let (changed, filed) = (found.filter { !isAboutAny($0, type) }, Set(found.filter { isAboutAny($0, type) }.map(\.change.time)))
        let hasChanged = Set(changed.flatMap(\.documents))
        var told: [CapturedChange] = []
        for id in documents {
            // Not there: deleted, which the list of keys tells, or another company's.
            guard let record = records[id], type.isWhole(record, work),
                hasChanged.contains(id) || record.filed.map(filed.contains) == true
            else { continue }
            feed.keys.insert(id)
            told.append(event(record, type, work))
        }
        let done = found.filter { $0.documents.allSatisfy(chosen.contains) }
        feed.seen.formUnion(done.map(\.change))
        // What was left out may have changed earlier than all that was found: the next look begins at the same moment.
        if isCut { return told }
        let open = found.first { !$0.documents.allSatisfy(chosen.contains) }?.change.time ?? .max
        let last = min(feed.seen.map(\.time).max() ?? feed.since, open)
        feed.since = max(feed.since, last - settings.overlap.milliseconds * 1000)
        let since = feed.since
        feed.seen = feed.seen.filter { $0.time >= since }
        return told
    }

    private func isAboutAny(_ found: Found, _ type: any DocumentType) -> Bool { type.sources[found.change.source].holders != nil }

    /// Changes of one model's records that have not been told yet, and whether there are more.
    private func changes(
        of source: ChangeSource, _ index: Int, _ type: any DocumentType, _ feed: CapturePosition.Feed, _ work: Work
    ) async throws(TrytonFailure) -> ([Found], isCut: Bool) {
        let since = Wire.moment(microseconds: feed.since)
        let domain: Value = [
            "OR", [["write_date", ">=", since]], [["write_date", "=", .null], ["create_date", ">=", since]],
        ]
        var found: [Found] = []
        var last: Int64 = 0
        let size = min(2000, settings.changesAtOnce)
        while true {
            let rows = try await work.rows(
                source.model, source.domain + [domain, ["id", ">", .id(last)]], ["_timestamp"] + (source.link.map { [$0] } ?? []),
                limit: size,
                order: [("id", "ASC")])
            for row in rows {
                guard let time = row["_timestamp"]?.text.flatMap(Timestamp.microseconds) else { continue }
                let change = CapturePosition.Change(time: time, source: index, id: row.id)
                if feed.seen.contains(change) { continue }
                found.append(Found(documents: Self.documents(of: row, source.link, type.model), change: change))
            }
            last = rows.last?.id ?? 0
            // Bounded: the rest is found by the next look, as what has been told by then is left out.
            if rows.count < size { return (found, false) }
            if found.count >= settings.changesAtOnce { return (found, true) }
        }
    }

    private static func documents(of row: Fields, _ link: String?, _ model: String) -> [Int64] {
        guard let link else { return [row.id] }
        let parts = link.split(separator: ".").map(String.init)
        let value = parts.count == 2 ? row.one(parts[0])?[parts[1]] : row[link]
        // A link to one of several models tells which: `stock.shipment.out,7`.
        if let text = value?.text, text.hasPrefix(model + ",") { return Int64(text.dropFirst(model.count + 1)).map { [$0] } ?? [] }
        return (value?.array ?? [value ?? .null]).compactMap(\.integer)
    }

    // MARK: Deletions

    private func gone(
        _ type: any DocumentType, _ company: String?, _ feed: inout CapturePosition.Feed, _ limit: Int, _ work: Work
    ) async throws(TrytonFailure) -> [CapturedChange] {
        let domain = type.domain(work)
        guard feed.keys.count > 0 else { return [] }
        let count = try await work.count(type.model, domain + [["id", "<=", .id(feed.keys.last)]])
        // One that appeared and one that went between the two looks would hide each other, so equality is not asked for.
        if count >= feed.keys.count { return [] }
        var present = KeyRanges()
        while true {
            let keys = try await work.keys(
                type.model, domain + [["id", ">", .id(present.last)], ["id", "<=", .id(feed.keys.last)]], limit: 20_000)
            for key in keys { present.insert(key) }
            if keys.count < 20_000 { break }
        }
        var told: [CapturedChange] = []
        for key in feed.keys.missing(from: present, limit: limit) {
            feed.keys.remove(key)
            told.append(deletion(key, type, company))
        }
        return told
    }

    // MARK: Events

    private func event(_ record: Record, _ type: any DocumentType, _ work: Work) -> CapturedChange {
        let document = document(record, type, work)
        let company = type.manifest.isPerCompany ? document.fields["company"]?.keyText : nil
        return CapturedChange(
            event: ChangeEvent(
                id: "\(type.native)-\(record.id)-\(record.token)", type: type.native,
                operation: document.isDeleted ? .delete : .upsert, key: document.key, position: document.stamp, token: document.token,
                time: Instant(milliseconds: record.stamp / 1000), reference: document.reference, company: company),
            fields: document.fields)
    }

    /// Nobody knows when a record went that is there no more: its place in the feed is where it was missed. Nor in which company it was,
    /// where one feed tells those of all companies: the hub knows that by its link.
    private func deletion(_ key: Int64, _ type: any DocumentType, _ company: String?) -> CapturedChange {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        return CapturedChange(
            event: ChangeEvent(
                id: "\(type.native)-\(key)-deleted", type: type.native, operation: .delete, key: NativeKey(String(key)),
                position: SourcePosition(major: now * 1000, minor: 0), time: Instant(milliseconds: now), company: company),
            fields: nil)
    }
}
