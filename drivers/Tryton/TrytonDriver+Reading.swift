import HubDriver
import HubModel

extension TrytonDriver: LookingUp, Reading, Paging {
    func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] {
        try await asked { () throws(TrytonFailure) in
            var result: [[NativeDocument]] = []
            for question in references {
                guard let type = type(question.native) else {
                    result.append([])
                    continue
                }
                let work = try await work(question.company)
                let records = try await carriers(of: [question.reference], type, work)
                // What is half made counts as not there: making it again finishes it.
                result.append(
                    records.filter { type.isWhole($0, work) }.map { record in
                        var document = document(record, type, work)
                        document.reference = question.reference
                        return document
                    })
            }
            return result
        }
    }

    func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] {
        try await documents(references) { type, keys, work throws(TrytonFailure) in try await records(type, keys, work) }
    }

    /// As the feed tells them: without what the hub has not finished, and a reference by its first carrier only.
    func tell(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] {
        try await documents(references) { type, keys, work throws(TrytonFailure) in
            try await told(try await rows(type, keys, work), type, work).filter { type.isWhole($0, work) }
        }
    }

    private func documents(
        _ references: [ReadRequest], _ found: (any DocumentType, [Int64], Work) async throws(TrytonFailure) -> [Record]
    ) async throws(DriverError) -> [NativeDocument?] {
        try await asked { () throws(TrytonFailure) in
            var result = [NativeDocument?](repeating: nil, count: references.count)
            var groups: [Group: [Int]] = [:]
            for (index, request) in references.enumerated() {
                groups[Group(native: request.native, company: request.company), default: []].append(index)
            }
            for (group, indices) in groups {
                guard let type = type(group.native) else { continue }
                let work = try await work(group.company)
                let records = try await found(type, indices.compactMap { Int64(references[$0].key.rawValue) }, work)
                for index in indices {
                    guard let record = records.first(where: { String($0.id) == references[index].key.rawValue }) else { continue }
                    result[index] = document(record, type, work)
                }
            }
            return result
        }
    }

    private struct Group: Hashable {
        var native: String
        var company: String?
    }

    /// Documents in the order of their keys, which Tryton never gives twice.
    func page(native: String, company: String?, after cursor: String?, limit: Int) async throws(DriverError) -> Page {
        guard let type = type(native) else { return Page(documents: [], next: nil) }
        guard let start = Int64(cursor ?? "0") else {
            throw DriverError(.configuration, "\(cursor ?? "") is no place in Tryton's documents.")
        }
        let limit = min(max(1, limit), 500)
        return try await asked { () throws(TrytonFailure) in
            let work = try await work(company, patience: .seconds(14))
            let records = try await page(type, after: start, limit: limit, work)
            return Page(
                documents: records.filter { type.isWhole($0, work) && !type.isDeleted($0) }.map { document($0, type, work) },
                next: records.count < limit ? nil : records.last.map { String($0.id) })
        }
    }

    func page(_ type: any DocumentType, after start: Int64, limit: Int, _ work: Work) async throws(TrytonFailure) -> [Record] {
        guard work.profile.has(type.model) else { return [] }
        let rows = try await work.rows(
            type.model, type.domain(work) + [["id", ">", .id(start)]], type.fields(work.profile), limit: limit, order: [("id", "ASC")])
        return try await told(rows, type, work)
    }

    // MARK: Records

    private func rows(_ type: any DocumentType, _ keys: [Int64], _ work: Work) async throws(TrytonFailure) -> [Fields] {
        guard work.profile.has(type.model), !keys.isEmpty else { return [] }
        return try await work.rows(
            type.model, type.domain(work) + [["id", "in", .array(keys.map { .id($0) })]], type.fields(work.profile))
    }

    func records(_ type: any DocumentType, _ keys: [Int64], _ work: Work) async throws(TrytonFailure) -> [Record] {
        let rows = try await rows(type, keys, work)
        return try await type.completed(rows.map { Record(row: $0, parts: type.parts, model: type.model) }, work)
    }

    /// Records that carry one of these references, in the order in which they were made.
    func carriers(of references: [CanonicalID], _ type: any DocumentType, _ work: Work) async throws(TrytonFailure) -> [Record] {
        guard work.profile.has(type.model), type.manifest.tellsReference else { return [] }
        let rows = try await work.rows(
            type.model, type.domain(work) + type.referring(to: references), type.fields(work.profile), limit: 20, order: [("id", "ASC")])
        return rows.map { Record(row: $0, parts: type.parts, model: type.model) }
    }

    /// Rows as records for the feed, where a reference is told by its first carrier only: who duplicates a party duplicates its
    /// identifiers, and a duplicate is a new document.
    func told(_ rows: [Fields], _ type: any DocumentType, _ work: Work) async throws(TrytonFailure) -> [Record] {
        var records = try await type.completed(rows.map { Record(row: $0, parts: type.parts, model: type.model) }, work)
        guard let identifiers = type.identifiers else { return records }
        let holders = try await identifiers.holders(of: rows.flatMap { type.references($0) }, work)
        for index in records.indices {
            guard let reference = type.references(records[index].row).first else { continue }
            records[index].isDuplicate = holders[reference].map { $0 != records[index].id } ?? false
        }
        return records
    }

    func document(_ record: Record, _ type: any DocumentType, _ work: Work) -> NativeDocument {
        NativeDocument(
            key: NativeKey(String(record.id)), token: record.token, stamp: record.position,
            reference: record.isDuplicate ? nil : type.references(record.row).first, isDeleted: type.isDeleted(record),
            fields: type.told(record, work))
    }
}
