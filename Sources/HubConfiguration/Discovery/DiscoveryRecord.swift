import HubCodec
package import HubDriver
package import HubModel

/// What the hub remembers of the last time that an application was looked at: against this the next look is compared.
package struct DiscoveryRecord: Sendable, Hashable {
    /// What an entity's mapping has been found to fit.
    package struct Accepted: Sendable, Hashable {
        /// The mapping's version: a changed mapping is a person's word that the application is meant to be so.
        package var mapping: String
        /// Kinds by `native type path`.
        package var kinds: [String: DiscoveredField.Kind]

        package init(mapping: String, kinds: [String: DiscoveredField.Kind]) {
            self.mapping = mapping
            self.kinds = kinds
        }
    }

    package var instance: String
    package var time: Instant
    package var accepted: [EntityName: Accepted]
    /// The paths of all fields of the types that mappings are for.
    package var seen: [String: Set<String>]

    package init(instance: String, time: Instant, accepted: [EntityName: Accepted] = [:], seen: [String: Set<String>] = [:]) {
        self.instance = instance
        self.time = time
        self.accepted = accepted
        self.seen = seen
    }

    // MARK: As a note of the store

    package var text: String {
        let accepted = self.accepted.map { entity, known in
            let kinds = Value.object(Fields(known.kinds.map { ($0.key, .string($0.value.rawValue)) }))
            return (entity.rawValue, Value.object(["mapping": .string(known.mapping), "kinds": kinds]))
        }
        let seen = self.seen.map { ($0.key, Value.array($0.value.sorted().map { .string($0) })) }
        let value: Value = [
            "instance": .string(instance), "time": .number(Number(time.milliseconds)), "accepted": .object(Fields(accepted)),
            "seen": .object(Fields(seen)),
        ]
        return String(decoding: value.json, as: UTF8.self)
    }

    /// nil where the text is none of this version's: then the next look is a first one.
    package init?(_ text: String) {
        guard let value = try? JSONDocument.parse(Array(text.utf8)).value, let instance = value["instance"]?.text,
            let time = value["time"]?.integer, let accepted = value["accepted"]?.object, let seen = value["seen"]?.object
        else { return nil }
        self.init(instance: instance, time: Instant(milliseconds: time))
        for (entity, known) in accepted {
            guard let mapping = known["mapping"]?.text, let kinds = known["kinds"]?.object else { return nil }
            let named = kinds.compactMap { name, kind in kind.text.flatMap { DiscoveredField.Kind(rawValue: $0) }.map { (name, $0) } }
            self.accepted[EntityName(entity)] = Accepted(mapping: mapping, kinds: Dictionary(named) { first, _ in first })
        }
        for (native, paths) in seen { self.seen[native] = Set(paths.array?.compactMap(\.text) ?? []) }
    }
}
