import Foundation
import HubDriver
import HubModel

extension WarehouseDriver {
    /// Values as the application is sent them; defects harm them on the way.
    func clean(_ fields: Fields) -> Fields {
        Fields(
            fields.compactMap { name, value -> (String, Value)? in
                switch (defect, value) {
                case (.dropsUnknown, _) where !Warehouse.members.contains(name): return nil
                case (.cutsAtNul, .string(let text)):
                    return (name, .string(String(text.split(separator: "\u{0}", omittingEmptySubsequences: false).first ?? "")))
                case (.readsLatin1, .string(let text)):
                    return (name, .string(String(decoding: text.utf8.flatMap { Array(String(Unicode.Scalar($0)).utf8) }, as: UTF8.self)))
                case (.composesText, .string(let text)): return (name, .string(text.precomposedStringWithCanonicalMapping))
                case (.throughDoubles, .number(let number)):
                    let text = Double(number.description).map { String(format: "%.4f", $0) }
                    return (name, text.flatMap { Number($0) }.map { .number($0) } ?? value)
                case (.shiftsDates, .string("2024-02-29")): return (name, "2024-03-01")
                default: return (name, value)
                }
            })
    }

    func document(_ key: Int) -> NativeDocument? { warehouse.item(key).map { told($0, key) } }

    private func told(_ item: Warehouse.Item, _ key: Int) -> NativeDocument {
        let token = defect == .tokenNeverMoves ? "1" : String(item.version)
        return NativeDocument(
            key: NativeKey(String(key)), token: profile.hasToken ? VersionToken(token) : nil, stamp: SourcePosition(minor: item.stamp),
            reference: item.reference, isDeleted: item.isDeleted, fields: item.fields)
    }

    /// A question, whose failure has no effect.
    func ask<T: Sendable>(_ work: @escaping @Sendable () -> T) async throws(DriverError) -> T {
        do {
            return try await wire.request(work)
        } catch LineFailure.refused {
            throw DriverError(.unreachable, "no connection")
        } catch {
            throw DriverError(.noAnswer, "the connection went")
        }
    }

    func probe() async throws(DriverError) -> ApplicationIdentity {
        let instance = defect == .anotherInstanceEachTime ? UUID().uuidString : "warehouse-1"
        return try await ask { ApplicationIdentity(instance: instance, version: "1") }
    }

    func lookUp(_ references: [LookUp]) async throws(DriverError) -> [[NativeDocument]] {
        try await ask { [self] in
            references.map { look in
                defect == .lookUpFindsNothing ? [] : warehouse.keys(look.reference).compactMap { document($0) }
            }
        }
    }

    func read(_ references: [ReadRequest]) async throws(DriverError) -> [NativeDocument?] {
        try await ask { [self] in
            references.map { request in
                guard let document = Int(request.key.rawValue).flatMap({ document($0) }) else { return nil }
                return document.isDeleted ? nil : document
            }
        }
    }

    func page(native: String, company: String?, after cursor: String?, limit: Int) async throws(DriverError) -> Page {
        let start = cursor.flatMap { Int($0) } ?? 0
        return try await ask { [self] in
            let living = warehouse.living()
            switch defect {
            case .pagesByOffset:
                let some = living.dropFirst(start).prefix(limit)
                return Page(documents: some.map { told($0.item, $0.key) }, next: some.count < limit ? nil : String(start + limit))
            case .pagesByChange:
                let some = living.sorted { $0.item.stamp < $1.item.stamp }.filter { $0.item.stamp > start }.prefix(limit)
                let next = some.count < limit ? nil : some.last.map { String($0.item.stamp) }
                return Page(documents: some.map { told($0.item, $0.key) }, next: next)
            default:
                let some = living.filter { $0.key > start }.prefix(limit)
                return Page(
                    documents: some.map { told($0.item, $0.key) }, next: some.count < limit ? nil : some.last.map { String($0.key) })
            }
        }
    }

    func capture(after position: String?, limit: Int) async throws(DriverError) -> CapturedBatch {
        let start = position.flatMap { Int($0) } ?? 0
        return try await ask { [self] in
            let some = warehouse.feed(after: start, limit: limit)
            let told = some.filter { change in
                if defect == .losesEvents, change.key % 3 == 0 { return false }
                return !(defect == .losesDeletes && change.item.isDeleted)
            }
            let isLost = defect == .movesOn && !some.isEmpty && !asked.isFirst(start)
            let changes = (isLost ? [] : told).map { change in
                let item = change.item
                let event = ChangeEvent(
                    id: "\(item.stamp)", type: "item", operation: item.isDeleted ? .delete : .upsert, key: NativeKey(String(change.key)),
                    position: SourcePosition(minor: item.stamp), token: VersionToken(String(item.version)),
                    reference: defect == .tellsNoReference ? nil : item.reference)
                return CapturedChange(event: event, fields: item.isDeleted ? nil : item.fields)
            }
            let skipped = defect == .skipsOne && !some.isEmpty ? 1 : 0
            return CapturedBatch(changes: Array(changes), position: String(start + some.count + skipped))
        }
    }
}

extension WarehouseDriver: Discovering {
    func discover() async throws(DriverError) -> Discovery {
        var identity = try await probe()
        if defect == .discoversAnother { identity.instance += "'" }
        var fields = Warehouse.members.sorted().map { name in
            DiscoveredField(
                path: name, kind: name == "price" ? .number : name == "since" ? .date : .text, nativeKind: "any", isRequired: name == "name"
            )
        }
        if defect == .hidesFields { fields.removeAll { $0.path == "city" } }
        if defect == .repeatsFields { fields += fields }
        let rights: Set<DiscoveredType.Right> = defect == .hidesRights ? [.read] : Set(DiscoveredType.Right.allCases)
        return Discovery(
            identity: identity, types: defect == .hidesTypes ? [] : [DiscoveredType(native: "item", fields: fields, rights: rights)],
            functions: manifest.functions.map(\.name))
    }
}
