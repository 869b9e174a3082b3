import HubDriver
import HubModel
import Synchronization

/// A small application in memory: items with a version, a feed of their changes, and rules.
final class Warehouse: Sendable {
    struct Item: Sendable {
        var reference: CanonicalID?
        var version = 0
        var stamp: Int64 = 0
        var isDeleted = false
        var fields = Fields()
    }

    enum Refusal: Error {
        case rule(String, String?, String)
        case changed
        case gone
        case busy
    }

    struct Change: Sendable {
        var key: Int
        var item: Item
    }

    private struct State {
        var items: [Int: Item] = [:]
        var next = 1
        var feed: [Change] = []
        var busy: Set<Int> = []
    }

    static let members: Set<String> = ["code", "name", "city", "price", "since", "note"]
    private let state = Mutex(State())

    // MARK: Requests

    func create(_ fields: Fields, _ reference: CanonicalID?) throws -> Int {
        try state.withLock { state in
            let key = state.next
            try Self.admit(fields, key, state)
            state.next += 1
            Self.store(Item(reference: reference, fields: fields), key, &state)
            return key
        }
    }

    /// Nil token: whatever the version is.
    func update(_ key: Int, _ changes: Fields, version: Int?) throws {
        try state.withLock { state in
            guard var item = state.items[key], !item.isDeleted else { throw Refusal.gone }
            if state.busy.contains(key) { throw Refusal.busy }
            if let version, version != item.version { throw Refusal.changed }
            let fields = item.fields.overlaid(with: changes)
            try Self.admit(fields, key, state)
            guard fields != item.fields else { return }
            item.fields = fields
            Self.store(item, key, &state)
        }
    }

    func delete(_ key: Int, version: Int?) throws {
        try state.withLock { state in
            guard var item = state.items[key], !item.isDeleted else { throw Refusal.gone }
            if let version, version != item.version { throw Refusal.changed }
            if item.fields["note"] == "in use" { throw Refusal.rule("in-use", nil, "The item is in use.") }
            item.isDeleted = true
            Self.store(item, key, &state)
        }
    }

    func item(_ key: Int) -> Item? { state.withLock { $0.items[key] } }

    func keys(_ reference: CanonicalID) -> [Int] {
        state.withLock { state in state.items.filter { $0.value.reference == reference }.keys.sorted() }
    }

    /// Living items in the order of their keys.
    func living() -> [(key: Int, item: Item)] {
        state.withLock { state in state.items.filter { !$0.value.isDeleted }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }

    func feed(after place: Int, limit: Int) -> ArraySlice<Change> { state.withLock { $0.feed.dropFirst(place).prefix(limit) } }

    func setBusy(_ key: Int, _ isBusy: Bool) {
        state.withLock { state in
            if isBusy { state.busy.insert(key) } else { state.busy.remove(key) }
        }
    }

    private static func admit(_ fields: Fields, _ key: Int, _ state: State) throws {
        for (name, _) in fields where !members.contains(name) { throw Refusal.rule("unknown-member", name, "An item has no \(name).") }
        if (fields["name"]?.text ?? "").isEmpty { throw Refusal.rule("missing-name", "name", "An item needs a name.") }
        if let code = fields["code"], !code.isNull,
            state.items.contains(where: {
                $0.key != key && !$0.value.isDeleted && $0.value.fields["code"] == code
            })
        {
            throw Refusal.rule("duplicate-code", "code", "There is an item with that code.")
        }
        if let price = fields["price"], !price.isNull, (price.number ?? 0) < 0 {
            throw Refusal.rule("negative-price", "price", "A price is not below zero.")
        }
    }

    private static func store(_ item: Item, _ key: Int, _ state: inout State) {
        var item = item
        item.version += 1
        item.stamp = Int64(state.feed.count + 1)
        state.items[key] = item
        state.feed.append(Change(key: key, item: item))
    }
}
